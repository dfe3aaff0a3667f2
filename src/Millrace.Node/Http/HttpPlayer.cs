using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>What answers the request that a connection of a shard is at.</summary>
internal abstract class HttpPlayer
{
    /// <summary>When <see cref="OnTimer"/> is to be called, monotonic microseconds.</summary>
    public abstract long NextDeadline { get; }

    public abstract void OnTimer(long now);

    /// <summary>The client has sent more, or has gone, while its answer is not under way.</summary>
    public abstract void OnReadable(long now);

    /// <summary>This side ends: what there is to be said for that is said.</summary>
    public abstract void End(string reason, long now);

    /// <summary>Media of a wire log follows.</summary>
    public virtual void Start(long now)
    {
    }

    /// <summary>What the request waited for has happened.</summary>
    public virtual void OnReleased(long now)
    {
    }

    public virtual void OnSignal(WireSignal signal, long now)
    {
    }

    /// <summary>The connection has gone.</summary>
    public virtual void OnClosed()
    {
    }
}
