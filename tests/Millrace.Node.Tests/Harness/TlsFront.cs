using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Node.Tests.Harness;

/// <summary>TLS in front of a port, as services that take RTMP over TLS have it.</summary>
internal sealed class TlsFront : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _certificate;
    private readonly int _target;

    /// <param name="files">Of its certificate and its key.</param>
    /// <param name="target">The port of the loopback address behind it.</param>
    public TlsFront((string Certificate, string Key) files, int target)
    {
        _certificate = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
        _target = target;
        _listener.Start();
        _ = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The names that clients have asked for (RFC 6066, 3).</summary>
    public List<string> Names { get; } = [];

    public void Dispose()
    {
        _listener.Dispose();
        _certificate.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
            _ = CarryAsync(await _listener.AcceptTcpClientAsync());
    }

    private async Task CarryAsync(TcpClient accepted)
    {
        using var client = accepted;
        using var server = new TcpClient();
        await server.ConnectAsync(IPAddress.Loopback, _target);
        await using var secure = new SslStream(client.GetStream());
        await secure.AuthenticateAsServerAsync(_certificate);
        lock (Names)
            Names.Add(secure.TargetHostName);
        var plain = server.GetStream();
        await Task.WhenAny(secure.CopyToAsync(plain), plain.CopyToAsync(secure));
    }
}
