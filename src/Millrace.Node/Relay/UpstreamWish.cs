using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <summary>A viewer who waits for a stream that no other node may have yet: they are asked again, as often as <c>edge.negative_cache</c> lets them be.</summary>
/// <param name="node">The node.</param>
/// <param name="name">Which.</param>
/// <param name="arguments">The viewer's query, for the origin.</param>
/// <param name="protocol">The viewer's.</param>
internal sealed class UpstreamWish(NodeContext node, StreamName name, string arguments, UpstreamProtocol protocol)
{
    /// <summary>Where <c>edge.negative_cache</c> is nothing, who waits is no load on the origin either.</summary>
    private const long LeastPause = 100_000;

    /// <summary>When to ask again, monotonic microseconds; <see cref="long.MaxValue"/> while they are being asked, and where nobody is.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    public void Ask(long now)
    {
        Settle();
        if (node.Upstreams.Want(name, arguments, [], out _, protocol) == UpstreamState.Missing)
            AskLater(now);
    }

    /// <summary>Word has come that none has it.</summary>
    public void AskLater(long now) => Deadline = now + Math.Max(LeastPause, node.Settings.Edge.NegativeCache.ToMicros());

    /// <summary>The stream is here, or is not waited for any more.</summary>
    public void Settle() => Deadline = long.MaxValue;
}
