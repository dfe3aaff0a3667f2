namespace Millrace.Node.Settings;

/// <summary>The threads that serve viewers.</summary>
internal sealed record ShardSettings
{
    /// <summary>Shards, each one thread with an epoll instance of its own; null (<c>auto</c>, the default) or 0 is one per core.</summary>
    public int? Count { get; init; }

    /// <summary>How many shards to start on a machine with this many cores.</summary>
    public int EffectiveCount(int cores) => Count is > 0 and var count ? count : Math.Max(1, cores);
}
