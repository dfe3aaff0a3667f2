namespace Millrace.Node.Relay;

/// <summary>
/// What all streams of this node have learned of its origins: one that could not be reached is left out for a while, longer with each time, so that
/// new viewers do not wait for it. Any thread.
/// </summary>
internal sealed class OriginHealth
{
    private const long FirstMicros = 3_000_000;
    private const long LongestMicros = 60_000_000;

    /// <summary>The map of a cluster may name ever new ones.</summary>
    private const int MaxOrigins = 1_000;

    private readonly ExpiringEntries<OriginAddress, Failure> _failures = new(MaxOrigins);

    /// <summary>It took no connection, or did not say who it is.</summary>
    public void Fail(OriginAddress origin, long now)
    {
        var host = HostOf(origin);
        // Many streams that lose it at the same moment have seen one failure.
        if (_failures.TryFind(host, now, out var known) && now < known.Until)
            return;
        var failure = Failure.After(known?.Count ?? 0, now);
        _failures.Set(host, failure, failure.Until + LongestMicros, now);
    }

    /// <summary>It has answered.</summary>
    public void Succeed(OriginAddress origin)
    {
        if (_failures.Count > 0)
            _failures.Remove(HostOf(origin));
    }

    public bool IsLeftOut(OriginAddress origin, long now) =>
        _failures.Count > 0 && _failures.TryFind(HostOf(origin), now, out var failure) && now < failure.Until;

    /// <summary>Whatever it is asked for.</summary>
    private static OriginAddress HostOf(OriginAddress origin) => origin with { Path = "", IsWhole = false, Query = null };

    /// <param name="Count">In a row.</param>
    /// <param name="Until">Monotonic time, microseconds, up to which it is left out. The number is known for a while longer.</param>
    private sealed record Failure(int Count, long Until)
    {
        /// <summary>A third of the time is chance, so that nodes which have lost the same origin do not come back at the same moment.</summary>
        public static Failure After(int count, long now)
        {
            var pause = Math.Min(LongestMicros, FirstMicros << Math.Min(count, 20));
            return new Failure(count + 1, now + (pause * 2 / 3) + Random.Shared.NextInt64((pause / 3) + 1));
        }
    }
}
