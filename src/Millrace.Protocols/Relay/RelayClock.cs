namespace Millrace.Protocols.Relay;

/// <summary>
/// The peer's clock against ours, from heartbeats and their replies (RFC 5905, 8).
/// The sample with the shortest way is the least wrong one: by at most half of its round trip.
/// </summary>
internal sealed class RelayClock
{
    private const int Samples = 16;

    /// <summary>A reply that took longer says nothing; 60 s.</summary>
    private const long MaxRoundTrip = 60_000_000;

    private readonly (long Offset, long RoundTrip)[] _samples = new (long, long)[Samples];
    private int _count;

    /// <summary>The peer's Unix clock minus ours, microseconds; null before the first sample.</summary>
    public long? OffsetMicros => _count == 0 ? null : Best().Offset;

    /// <summary>Of the same sample, microseconds; 0 before the first.</summary>
    public long RoundTripMicros => _count == 0 ? 0 : Best().RoundTrip;

    /// <param name="sent">Our time of the heartbeat, as the peer repeats it; Unix, microseconds, as the others.</param>
    /// <param name="received">The peer's time of the heartbeat.</param>
    /// <param name="answered">The peer's time of its reply.</param>
    /// <param name="now">Our time of the reply.</param>
    public void Add(long sent, long received, long answered, long now)
    {
        if (sent < 0 || received < 0 || answered < received || now < sent || now - sent > MaxRoundTrip)
            return;
        var roundTrip = now - sent - (answered - received);
        if (roundTrip < 0)
            return;
        _samples[_count++ % Samples] = (received - (sent + roundTrip / 2), roundTrip);
        if (_count == 2 * Samples)
            _count = Samples;
    }

    private (long Offset, long RoundTrip) Best()
    {
        var best = _samples[0];
        for (var i = 1; i < Math.Min(_count, Samples); i++)
        {
            if (_samples[i].RoundTrip < best.RoundTrip)
                best = _samples[i];
        }

        return best;
    }
}
