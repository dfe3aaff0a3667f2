using Millrace.Node.Relay;
using Millrace.Streams;
using Millrace.Streams.Relay;

namespace Millrace.Node.Api;

/// <summary>What the API says of the way that a stream comes. Figures are read without stopping anybody.</summary>
internal static class PathReport
{
    /// <summary>The nodes of a stream's way, this one last.</summary>
    public static IReadOnlyList<HopReply> PathOf(LiveStream stream)
    {
        if (stream.IsAuthority)
            return [new HopReply(stream.Resources.Node, null, 0, null)];
        var hops = stream.Hops.Latest;
        return hops.Length > 0
            ? [.. hops.Select((hop, i) => Of(hops, i))]
            : [.. stream.Path.Append(stream.Resources.Node).Select(static node => new HopReply(node, null, null, null))];
    }

    /// <summary>What the newest measured unit took from the authority to this node, microseconds; null at the authority, and where it is not known.</summary>
    public static long? LatencyOf(LiveStream stream) =>
        stream.Hops.Latest is [var first, .., var last] hops && IsMeasured(hops, hops.Length - 1)
            ? Math.Max(0, last.OnAuthorityClock - first.OnAuthorityClock)
            : null;

    public static UpstreamReply Of(RelayPuller puller, LiveStream? stream)
    {
        var link = puller.Connection?.Link;
        return new UpstreamReply(
            puller.Name.ToString(), puller.Origin, OriginAddress.TryParseUrl(puller.Origin) is { IsTls: true },
            NodeOf(puller), StateOf(puller), puller.Switches, SinceOf(puller), ToMillis(stream is null ? null : LatencyOf(stream)),
            ToMillis(link?.AheadMicros), ToMillis(link?.RoundTripMicros));
    }

    public static PushReply Of(RelayPusher pusher, bool isForward) => new(
        pusher.Name.ToString(), pusher.Origin, isForward, NodeOf(pusher), StateOf(pusher), pusher.Switches, SinceOf(pusher),
        ToMillis(pusher.Connection?.Link?.RoundTripMicros));

    public static string StateOf(RelayPusher pusher)
    {
        // Before the other, which may come to be true meanwhile.
        var wasAccepted = pusher.WasAccepted;
        return pusher.IsSent ? "live" : wasAccepted ? "lost" : "pending";
    }

    public static string StateOf(RelayPuller puller) => puller.State switch
    {
        UpstreamState.Live when !puller.IsFlowing => "lost",
        var state => state.ToString().ToLowerInvariant(),
    };

    public static double? ToMillis(long? micros) => micros is { } value ? Math.Round(value / 1e3, 3) : null;

    private static string? NodeOf(OriginClient client) => client.Connection?.Protocol.PeerNode is { Length: > 0 } node ? node : null;

    private static DateTimeOffset SinceOf(OriginClient client) => DateTimeOffset.FromUnixTimeMilliseconds(client.Since / 1_000);

    private static HopReply Of(RelayHop[] hops, int index)
    {
        var hop = hops[index];
        var isMeasured = IsMeasured(hops, index);
        var latency = isMeasured && index + 1 < hops.Length && IsMeasured(hops, index + 1)
            ? Math.Max(0, hops[index + 1].OnAuthorityClock - hop.OnAuthorityClock)
            : (long?)null;
        return new HopReply(hop.Node, ToMillis(latency), ToMillis(isMeasured ? hop.OffsetMicros : null), ToMillis(hop.RoundTripMicros > 0 ? hop.RoundTripMicros : null));
    }

    /// <summary>A node's clock is compared by way of all links before it.</summary>
    private static bool IsMeasured(RelayHop[] hops, int index)
    {
        for (var i = 1; i <= index; i++)
        {
            if (hops[i].RoundTripMicros == 0)
                return false;
        }

        return true;
    }
}
