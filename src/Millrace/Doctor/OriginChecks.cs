using System.Globalization;
using Millrace.Node;
using Millrace.Node.Relay;
using Millrace.Node.Settings;

namespace Millrace.Doctor;

/// <summary>Whether the origins of remote vhosts and apps can be reached, let this node in, and show the same time.</summary>
internal static class OriginChecks
{
    /// <summary>Clocks that differ by more than this are not kept by anything: NTP holds some milliseconds.</summary>
    private const long MaxAheadMicros = 100_000;

    /// <summary>All at once, in the order of the settings.</summary>
    public static async Task<IReadOnlyList<DoctorCheck>> RunAsync(NodeSettings settings, CancellationToken cancellationToken)
    {
        var probe = new RelayProbe(settings);
        var checks = await Task.WhenAll(OriginsOf(settings).Select(async origin => Of(origin, await probe.RunAsync(origin, cancellationToken), settings.Edge.ConnectTimeout)));
        return [.. checks.SelectMany(static of => of)];
    }

    /// <summary>Each node once, however many vhosts and apps have it; foreign servers are not asked.</summary>
    internal static IEnumerable<OriginAddress> OriginsOf(NodeSettings settings) => settings.Vhosts
        .SelectMany(vhost => vhost.Apps.Select(app => app.Name).Append("").SelectMany(app => settings.OriginsOf(vhost, app) ?? []))
        .Select(static text => OriginAddress.TryParse(text, out var address, out _) ? address : null)
        .OfType<OriginAddress>()
        .Where(static origin => origin.Kind == OriginKind.Millrace)
        .Distinct();

    /// <param name="origin">Who was asked.</param>
    /// <param name="result">What came of it.</param>
    /// <param name="connectTimeout">How long an edge waits until it is let in.</param>
    internal static IEnumerable<DoctorCheck> Of(OriginAddress origin, RelayProbeResult result, TimeSpan connectTimeout)
    {
        var name = $"origin {origin}";
        if (result.Outcome != RelayProbeOutcome.Accepted)
        {
            yield return DoctorCheck.Fail(name, Finding(result), Advice(origin, result));
            yield break;
        }

        var finding = $"node {result.Node} lets this one in{(origin.IsTls ? " over TLS" : "")}; round trip {Millis(result.RoundTripMicros)} ms";
        yield return result.ConnectMicros <= connectTimeout.ToMicros()
            ? DoctorCheck.Ok(name, finding)
            : DoctorCheck.Warn(
                name,
                $"{finding}; but not within {Millis(connectTimeout.ToMicros())} ms, after which an edge gives up: it took {Millis(result.ConnectMicros)} ms",
                "see what loses packets or holds that node up, or raise edge.connect_timeout");
        if (result.ValidUntil is { } until)
            yield return CertificateChecks.OfTime($"certificate {origin}", $"the certificate of node {result.Node}", until);
        var ahead = $"{Millis(Math.Abs(result.AheadMicros))} ms {(result.AheadMicros < 0 ? "behind" : "ahead")}";
        var clock = $"the clock of node {result.Node} is {ahead}, give or take {Millis(result.RoundTripMicros / 2)} ms";
        yield return Math.Abs(result.AheadMicros) > MaxAheadMicros
            ? DoctorCheck.Warn($"clock {origin}", clock, "keep both clocks by NTP (chrony, systemd-timesyncd): wall clocks in playlists and logs depend on them")
            : DoctorCheck.Ok($"clock {origin}", clock);
    }

    private static string Finding(RelayProbeResult result) => result.Outcome switch
    {
        RelayProbeOutcome.NoAddress => $"the name cannot be looked up: {result.Error}",
        RelayProbeOutcome.Unreachable => $"it cannot be reached: {result.Error}",
        RelayProbeOutcome.Secret => $"the secrets do not match: {result.Error}",
        RelayProbeOutcome.Tls => $"there is no TLS connection: {result.Error}",
        _ => $"{(result.Node is null ? "what answers there" : $"node {result.Node}")} does not let this one in: {result.Error}",
    };

    private static string Advice(OriginAddress origin, RelayProbeResult result) => result.Outcome switch
    {
        RelayProbeOutcome.NoAddress => $"put {origin.Host} into DNS or /etc/hosts, or write its address",
        RelayProbeOutcome.Unreachable => string.Create(CultureInfo.InvariantCulture, $"check that the origin runs, its relay.listen, and firewalls for TCP port {origin.Port}"),
        RelayProbeOutcome.Secret => "relay.secret must be the same on all nodes",
        RelayProbeOutcome.Tls => "the port must be the origin's relay.tls.listen, its certificate for this very host, and each side's of the other's relay.tls.authority",
        RelayProbeOutcome.Loop => "a node must not be its own origin, and each needs a cluster.node of its own",
        _ => "the port must be the relay.listen of a Millrace of this version; that of relay.tls.listen is written millraces://",
    };

    private static string Millis(long micros) => (micros / 1e3).ToString("0.##", CultureInfo.InvariantCulture);
}
