namespace Millrace.Node.Cluster;

/// <summary>What look-ups came to and what failed; any thread.</summary>
internal sealed class OriginMapCounters
{
    /// <summary>In characters: messages of the Redis library run to half a page.</summary>
    public const int MaxErrorLength = 200;

    private long _lookups;
    private long _misses;
    private long _stale;
    private long _failures;
    private volatile string? _lastError;

    public void Asked() => Interlocked.Increment(ref _lookups);

    /// <summary>Counts an answer, and gives it back.</summary>
    public OriginAnswer Answered(OriginAnswer answer)
    {
        if (answer.Url is null)
            Interlocked.Increment(ref _misses);
        else if (answer.IsStale)
            Interlocked.Increment(ref _stale);
        return answer;
    }

    public void Failed(string error)
    {
        // Who sees that one more is counted sees it.
        _lastError = Shorten(error);
        Interlocked.Increment(ref _failures);
    }

    public OriginMapState Read(string kind, bool isConnected, DateTimeOffset since, int registered, int candidates) => new(
        kind, isConnected, since, registered, candidates, Interlocked.Read(ref _lookups), Interlocked.Read(ref _misses),
        Interlocked.Read(ref _stale), Interlocked.Read(ref _failures), _lastError);

    /// <summary>One line of bounded length: a server's text goes to logs and to the API.</summary>
    public static string Shorten(string error)
    {
        var text = error.Length > MaxErrorLength ? error[..(MaxErrorLength - 1)] + "…" : error;
        return string.Create(text.Length, text, static (span, from) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsControl(from[i]) ? ' ' : from[i];
        });
    }
}
