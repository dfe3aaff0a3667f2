namespace Millrace.Node.Access;

/// <summary>What deciding by origins has come to since the start; any thread.</summary>
internal sealed class AccessCounters
{
    private readonly long[] _asked = new long[Enum.GetValues<AccessOutcome>().Length];
    private long _remembered;
    private long _refused;

    /// <summary>Claims that were decided by what an origin had said before.</summary>
    public long FromCache => Interlocked.Read(ref _remembered);

    /// <summary>Viewers and publishers that were turned away or let go, by whatever rule; requests, with HLS.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Questions, by what came of them.</summary>
    public long AskedWith(AccessOutcome outcome) => Interlocked.Read(ref _asked[(int)outcome]);

    public void Asked(AccessOutcome outcome) => Interlocked.Increment(ref _asked[(int)outcome]);

    public void Remembered() => Interlocked.Increment(ref _remembered);

    public void TurnedAway() => Interlocked.Increment(ref _refused);
}
