using System.Buffers;
using System.Buffers.Binary;

namespace Millrace.Protocols.Relay;

/// <summary>When a side must say something and when it must have heard something; heartbeats and their replies. Times in microseconds.</summary>
internal sealed class RelayPulse(RelayOptions options, long nowMicros)
{
    /// <summary>So many samples a side is given quickly; clocks drift by less than a tenth of a millisecond a second.</summary>
    private const int FirstSamples = 16;

    /// <summary>Media is a heartbeat as well, but it does not measure clocks: one does at least this often at first.</summary>
    private const long FirstSampleMicros = 1_000_000;
    private const long SampleMicros = 5_000_000;

    /// <summary>A peer's heartbeats that come closer together are not answered: a flood is not to become two.</summary>
    private const long FirstReplyMicros = 50_000;

    /// <summary>Clocks need no more, and there are hundreds of edges.</summary>
    private const long ReplyMicros = 1_000_000;

    private long _lastSent = nowMicros;
    private long _lastReceived = nowMicros;
    private long _lastHeartbeat = nowMicros;
    private long _lastReply = long.MinValue / 2;
    private long _owedSent;
    private long _owedSince;
    private int _heartbeats;
    private int _replies;

    public RelayClock Clock { get; } = new();

    public long NextHeartbeat => Math.Min(_lastSent + options.HeartbeatMicros, _lastHeartbeat + (_heartbeats < FirstSamples ? FirstSampleMicros : SampleMicros));

    public long Deadline => _lastReceived + options.TimeoutMicros;

    /// <summary>A heartbeat has yet to be answered.</summary>
    public bool OwesReply { get; private set; }

    public void OnSent(long nowMicros) => _lastSent = nowMicros;

    public void OnReceived(long nowMicros) => _lastReceived = nowMicros;

    public void WriteHeartbeat(IBufferWriter<byte> output, long nowMicros)
    {
        Span<byte> payload = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(payload, nowMicros + options.UnixOffsetMicros);
        RelayWriter.Message(output, RelayMessageType.Heartbeat, payload);
        _lastHeartbeat = _lastSent = nowMicros;
        _heartbeats++;
    }

    /// <summary>Takes a heartbeat, which is then to be answered; false when it is none.</summary>
    public bool TryTake(ReadOnlySpan<byte> heartbeat, long nowMicros)
    {
        var reader = new RelayReader(heartbeat);
        if (!reader.TryFixed(out var sent))
            return false;
        if (nowMicros - _lastReply < (_replies < FirstSamples ? FirstReplyMicros : ReplyMicros))
            return true;
        (_owedSent, _owedSince, OwesReply) = (sent, nowMicros, true);
        _lastReply = nowMicros;
        _replies++;
        return true;
    }

    /// <summary>Answers the heartbeat that has yet to be answered, if there is one.</summary>
    public void WriteReply(IBufferWriter<byte> output, long nowMicros)
    {
        if (!OwesReply)
            return;
        Span<byte> payload = stackalloc byte[3 * sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(payload, _owedSent);
        BinaryPrimitives.WriteInt64BigEndian(payload[sizeof(long)..], _owedSince + options.UnixOffsetMicros);
        BinaryPrimitives.WriteInt64BigEndian(payload[(2 * sizeof(long))..], nowMicros + options.UnixOffsetMicros);
        RelayWriter.Message(output, RelayMessageType.HeartbeatReply, payload);
        _lastSent = nowMicros;
        OwesReply = false;
    }

    /// <summary>Takes a sample; false when the payload is none.</summary>
    public bool TryMeasure(ReadOnlySpan<byte> reply, long nowMicros)
    {
        var reader = new RelayReader(reply);
        if (!reader.TryFixed(out var sent) || !reader.TryFixed(out var received) || !reader.TryFixed(out var answered))
            return false;
        Clock.Add(sent, received, answered, nowMicros + options.UnixOffsetMicros);
        return true;
    }
}
