namespace Millrace.Node.Relay;

/// <summary>What fetching streams from other nodes has come to since the start; any thread.</summary>
internal sealed class UpstreamCounters
{
    private long _attempts;
    private long _failures;
    private long _switches;

    /// <summary>Connections that were begun.</summary>
    public long Attempts => Interlocked.Read(ref _attempts);

    /// <summary>Those that could not be made, or ended before their stream was to be let go; not those by which an origin has said that it does not have it.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Times that a stream went on from another connection.</summary>
    public long Switches => Interlocked.Read(ref _switches);

    public void Attempted() => Interlocked.Increment(ref _attempts);

    public void Failed() => Interlocked.Increment(ref _failures);

    public void Switched() => Interlocked.Increment(ref _switches);
}
