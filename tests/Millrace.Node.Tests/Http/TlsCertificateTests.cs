using Microsoft.Extensions.Logging;
using Millrace.Node.Http;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Http;

/// <summary>The files of <c>http.tls</c>, in virtual time.</summary>
public sealed class TlsCertificateTests : IDisposable
{
    private const long Second = 1_000_000;

    private readonly TestCertificate _files = new();
    private readonly LogLines _log = new();

    [Fact]
    public void A_renewal_is_in_force_within_two_seconds()
    {
        var certificate = Open();
        var first = ThumbprintOf(certificate, 0);
        _files.Issue();

        ThumbprintOf(certificate, Second).ShouldBe(first);
        ThumbprintOf(certificate, 2 * Second).ShouldBe(_files.Thumbprint);
        _files.Thumbprint.ShouldNotBe(first);
    }

    [Fact]
    public void Handshakes_with_one_certificate_share_one_value()
    {
        var certificate = Open();
        var first = certificate.Current;

        certificate.Look(10 * Second);
        certificate.Current.ShouldBeSameAs(first);
    }

    [Fact]
    public void A_handshake_never_waits_for_the_files_and_one_look_at_them_is_enough()
    {
        var looks = new List<Action>();
        var certificate = Open(looks.Add);
        var first = ThumbprintOf(certificate, 0);
        _files.Issue();

        // The file system hangs: handshakes go on with what there is.
        for (var second = 2; second < 20; second++)
            ThumbprintOf(certificate, second * Second).ShouldBe(first);
        looks.Count.ShouldBe(1);

        looks[0]();
        ThumbprintOf(certificate, 20 * Second).ShouldBe(_files.Thumbprint);
        looks.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_look_runs_on_another_thread_than_who_asks_for_it()
    {
        var certificate = TlsCertificate.Open(_files.Settings, _log.CreateLogger("Tls"), 0);
        _files.Issue();

        await Wait.Until(() => ThumbprintOf(certificate, 2 * Second) == _files.Thumbprint, "the renewal is in force");
    }

    [Fact]
    public void Broken_files_leave_the_last_good_certificate_in_force_and_are_one_line_of_error()
    {
        var certificate = Open();
        var first = ThumbprintOf(certificate, 0);
        File.WriteAllText(_files.CertificatePath, "not a certificate");
        for (var second = 2; second < 20; second++)
            ThumbprintOf(certificate, second * Second).ShouldBe(first);
        File.Delete(_files.KeyPath);
        for (var second = 20; second < 40; second++)
            ThumbprintOf(certificate, second * Second).ShouldBe(first);

        _log.Containing("Error ").Count.ShouldBe(2);
        _log.Containing("holds no PEM certificate; the certificate in force stays").Count.ShouldBe(1);
        _log.Containing("there is no such file; the certificate in force stays").Count.ShouldBe(1);
        _files.Issue();
        ThumbprintOf(certificate, 40 * Second).ShouldBe(_files.Thumbprint);
    }

    [Fact]
    public void A_renewal_that_is_half_written_is_taken_when_it_is_whole()
    {
        var certificate = Open();
        var first = ThumbprintOf(certificate, 0);
        var oldKey = File.ReadAllText(_files.KeyPath);
        _files.Issue();
        var newKey = File.ReadAllText(_files.KeyPath);
        File.WriteAllText(_files.KeyPath, oldKey);

        ThumbprintOf(certificate, 2 * Second).ShouldBe(first);
        File.WriteAllText(_files.KeyPath, newKey);
        ThumbprintOf(certificate, 4 * Second).ShouldBe(_files.Thumbprint);
    }

    [Fact]
    public void Files_that_are_no_good_are_named_with_their_setting_at_the_start()
    {
        var other = File.ReadAllText(_files.KeyPath);
        _files.Issue();
        Message(_files.Settings with { Certificate = "/none.pem" }).ShouldBe("http.tls.certificate: /none.pem cannot be read: there is no such file");
        Message(_files.Settings with { Key = "/none.pem" }).ShouldBe("http.tls.key: /none.pem cannot be read: there is no such file");
        Message(_files.Settings with { Certificate = _files.KeyPath }).ShouldBe($"http.tls.certificate: {_files.KeyPath} holds no PEM certificate");
        Message(_files.Settings with { Key = _files.CertificatePath }).ShouldBe($"http.tls.key: {_files.CertificatePath} holds no PEM private key");
        File.WriteAllText(_files.KeyPath, other);
        Message(_files.Settings).ShouldBe($"http.tls.key: {_files.KeyPath} is not the private key of {_files.CertificatePath}");
        File.WriteAllText(_files.KeyPath, other.Replace("PRIVATE", "ENCRYPTED PRIVATE", StringComparison.Ordinal));
        Message(_files.Settings).ShouldBe($"http.tls.key: {_files.KeyPath} is encrypted: store the key without a passphrase");
    }

    public void Dispose() => _files.Dispose();

    private static string ThumbprintOf(TlsCertificate certificate, long now)
    {
        certificate.Look(now);
        return certificate.Current.ServerCertificateContext!.TargetCertificate.Thumbprint;
    }

    /// <summary>Looks at the files at once, where <paramref name="run"/> does not say otherwise.</summary>
    private TlsCertificate Open(Action<Action>? run = null) =>
        TlsCertificate.Open(_files.Settings, _log.CreateLogger("Tls"), 0, run ?? (static look => look()));

    private string Message(TlsSettings settings) =>
        Should.Throw<ListenException>(() => TlsCertificate.Open(settings, _log.CreateLogger("Tls"), 0)).Message;
}
