using System.Buffers;
using System.Buffers.Binary;

namespace Millrace.Protocols.Relay;

/// <summary>When a side must say something and when it must have heard something; heartbeats and their replies. Times in microseconds.</summary>
internal sealed class RelayPulse(RelayOptions options, long nowMicros)
{
    /// <summary>The first heartbeats of a side all measure clocks.</summary>
    private const int FirstSamples = 16;

    /// <summary>From then on; clocks drift by less than a tenth of a millisecond a second. Media is a heartbeat as well, but it measures nothing.</summary>
    private const long SampleMicros = 5_000_000;

    /// <summary>A peer's heartbeats that come closer together are not answered: a flood is not to become two.</summary>
    private const long ReplyMicros = 50_000;

    private long _lastSent = nowMicros;
    private long _lastReceived = nowMicros;
    private long _lastSample = nowMicros;
    private long _lastReply = long.MinValue / 2;
    private long _owedSent;
    private long _owedSince;
    private int _samples;

    public RelayClock Clock { get; } = new();

    public long NextHeartbeat => Math.Min(_lastSent + options.HeartbeatMicros, NextSample);

    public long Deadline => _lastReceived + options.TimeoutMicros;

    /// <summary>A heartbeat has yet to be answered.</summary>
    public bool OwesReply { get; private set; }

    private long NextSample => _lastSample + (_samples < FirstSamples ? options.HeartbeatMicros : SampleMicros);

    public void OnSent(long nowMicros) => _lastSent = nowMicros;

    public void OnReceived(long nowMicros) => _lastReceived = nowMicros;

    /// <summary>One that measures clocks when that is due, else an empty one.</summary>
    public void WriteHeartbeat(IBufferWriter<byte> output, long nowMicros)
    {
        _lastSent = nowMicros;
        if (nowMicros < NextSample)
        {
            RelayWriter.Message(output, RelayMessageType.Heartbeat, []);
            return;
        }

        Span<byte> payload = stackalloc byte[RelayWriter.FilledPayload];
        BinaryPrimitives.WriteInt64BigEndian(payload, nowMicros + options.UnixOffsetMicros);
        RelayWriter.Message(output, RelayMessageType.Heartbeat, payload);
        _lastSample = nowMicros;
        _samples++;
    }

    /// <summary>Takes a heartbeat, which is then to be answered if it measures; false when it is none.</summary>
    public bool TryTake(ReadOnlySpan<byte> heartbeat, long nowMicros)
    {
        if (heartbeat.IsEmpty)
            return true;
        var reader = new RelayReader(heartbeat);
        if (!reader.TryFixed(out var sent))
            return false;
        if (nowMicros - _lastReply < ReplyMicros)
            return true;
        (_owedSent, _owedSince, OwesReply) = (sent, nowMicros, true);
        _lastReply = nowMicros;
        return true;
    }

    /// <summary>Answers the heartbeat that has yet to be answered, if there is one.</summary>
    public void WriteReply(IBufferWriter<byte> output, long nowMicros)
    {
        if (!OwesReply)
            return;
        Span<byte> payload = stackalloc byte[RelayWriter.FilledPayload];
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
        if (!reader.TryFixedDate(out var sent) || !reader.TryFixedDate(out var received) || !reader.TryFixedDate(out var answered))
            return false;
        Clock.Add(sent, received, answered, nowMicros + options.UnixOffsetMicros);
        return true;
    }
}
