using System.Buffers;
using System.Runtime.InteropServices;

namespace Millrace.Media.MpegTs;

/// <summary>
/// One PID of elementary data: makes PES packets and holds the newest of them back until the rest of the segment is long enough
/// to be stretched to a multiple of 16 packets.
/// </summary>
internal sealed class TsStream(int pid, Codec codec, bool carriesPcr, bool marksFirst)
{
    /// <summary>Packets of each PID in a segment: a multiple of this, so that the counter ends where it began.</summary>
    public const int CounterPeriod = 16;

    private const int MaxStretch = CounterPeriod - 1;

    /// <summary>A payload of this many bytes becomes a PES packet that can be stretched by <see cref="MaxStretch"/>.</summary>
    private const int StretchableLength = 20;

    /// <summary>Two could always be stretched with divided headers; more are held in the hope that none must be divided.</summary>
    private const int MaxHeld = 16;

    /// <summary>A PES packet of audio lasts 100 ms at most: with audio only it carries the clock (2.7.2).</summary>
    private const long MaxAudioTicks = TsMuxer.ClockRate / 10;

    private const int MaxAudioLength = 8192;

    /// <summary>Only the first frame of a PES packet has a time; one further off its place than 1 ms needs its own.</summary>
    private const long MaxAudioSlip = TsMuxer.ClockRate / 1000;

    private readonly HeldBytes _bytes = new();
    private readonly List<HeldPes> _held = [];
    private long _audioEnd;
    private bool _isFirst = true;

    public int Pid => pid;

    public Codec Codec => codec;

    public bool IsVideo { get; } = CodecInfo.KindOf(codec) == TrackKind.Video;

    /// <summary>Packets with payload since the segment began.</summary>
    public int Packets { get; private set; }

    public bool IsHolding => _held.Count > 0;

    /// <summary>The oldest that waits.</summary>
    public HeldPes Front => _held[0];

    /// <summary>No unit of this segment has come.</summary>
    public bool IsIdle => _isFirst;

    public void Reset()
    {
        _bytes.Clear();
        _held.Clear();
        Packets = 0;
        _isFirst = true;
    }

    /// <summary>An audio frame joins the newest PES packet when it follows without a gap and both last 100 ms at most.</summary>
    public bool TryJoin(Config config, ReadOnlySpan<byte> payload, long time)
    {
        if (IsVideo || _held.Count == 0)
            return false;
        Span<HeldPes> held = CollectionsMarshal.AsSpan(_held);
        ref HeldPes newest = ref held[^1];
        long duration = ElementaryForm.DurationOf(config, payload);
        if (duration == 0 || Math.Abs(time - _audioEnd) > MaxAudioSlip || _audioEnd + duration - newest.Dts > MaxAudioTicks
            || newest.Length + payload.Length > MaxAudioLength)
        {
            return false;
        }

        int before = _bytes.Content.Length;
        ElementaryForm.AppendFrame(_bytes, config, payload);
        newest.Length += _bytes.Content.Length - before;
        _audioEnd += duration;
        return true;
    }

    /// <summary>What is behind the front can be stretched far enough without it.</summary>
    /// <param name="nextLength">Bytes of the payload that opens the next PES packet.</param>
    public bool CanRelease(int nextLength)
    {
        if (_held.Count is 0 or >= MaxHeld)
            return _held.Count > 0;
        int spare = nextLength >= StretchableLength ? MaxStretch : 0;
        for (int i = _held.Count - 1; i > 0 && spare < MaxStretch; i--)
            spare += _held[i].Spare;
        return spare >= MaxStretch;
    }

    /// <summary>Begins a PES packet with a picture or an audio frame.</summary>
    /// <param name="config">The unit's.</param>
    /// <param name="payload">Not empty.</param>
    /// <param name="dts">90 kHz.</param>
    /// <param name="pts">90 kHz.</param>
    /// <param name="isKey">Of a picture.</param>
    public void Open(Config config, ReadOnlySpan<byte> payload, long dts, long pts, bool isKey)
    {
        Span<byte> header = stackalloc byte[HeldPes.MaxHeaderLength];
        byte id = IsVideo ? (byte)0xE0 : codec is Codec.Aac or Codec.Mp3 ? (byte)0xC0 : (byte)0xBD;
        int length = HeldPes.WriteHeader(header, id, dts + TsMuxer.TimestampOffset, pts + TsMuxer.TimestampOffset, payload.Length == 1);
        int before = _bytes.Content.Length;
        _bytes.Append(header[..length]);
        if (IsVideo)
            ElementaryForm.AppendPicture(_bytes, config, payload, isKey || _isFirst);
        else
            ElementaryForm.AppendFrame(_bytes, config, payload);
        bool isMarked = IsVideo ? isKey : marksFirst && _isFirst;
        _held.Add(new HeldPes(dts, isMarked, carriesPcr, length) { Length = _bytes.Content.Length - before });
        _audioEnd = dts + ElementaryForm.DurationOf(config, payload);
        _isFirst = false;
    }

    /// <summary>Spreads what waits, the last first, so that the segment's packets of this PID become a multiple of 16.</summary>
    public void Stretch()
    {
        Span<HeldPes> held = CollectionsMarshal.AsSpan(_held);
        int count = Packets;
        foreach (HeldPes pes in held)
            count += pes.Packets;
        int missing = -count & MaxStretch;
        for (int i = held.Length - 1; i >= 0; i--)
            missing -= held[i].Stretch = Math.Min(missing, held[i].Spare);
        for (int i = held.Length - 1; i >= 0 && missing > 0; i--)
        {
            int more = Math.Min(missing, held[i].SpareWithHeader - held[i].Stretch);
            held[i].Stretch += more;
            missing -= more;
        }
    }

    /// <summary>Writes the oldest that waits.</summary>
    /// <param name="output">Gets its packets.</param>
    /// <param name="pcr">90 kHz; for the stream that carries the clock.</param>
    public void WriteFront(IBufferWriter<byte> output, long pcr)
    {
        HeldPes pes = _held[0];
        Span<byte> rest = _bytes.Content[..pes.Length];
        pes.WriteLength(rest);
        int capacity = pes.FirstCapacity;
        bool isStart = true;
        for (int behind = pes.Packets + pes.Stretch - 1; behind >= 0; behind--)
        {
            // The packets behind this one need a byte each.
            int take = Math.Min(capacity, rest.Length - behind);
            TsPacket.Write(output, pid, Packets++, isStart, isStart && pes.IsKey, isStart && pes.HasPcr ? pcr : null, rest[..take]);
            rest = rest[take..];
            capacity = TsPacket.MaxPayload;
            isStart = false;
        }

        _bytes.RemoveFirst(pes.Length);
        _held.RemoveAt(0);
    }
}
