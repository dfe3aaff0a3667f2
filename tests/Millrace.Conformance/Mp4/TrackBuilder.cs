namespace Millrace.Conformance.Mp4;

/// <summary>Adds up the track fragments of one track (ISO/IEC 14496-12 §8.8).</summary>
internal sealed class TrackBuilder(InitTrack track)
{
    private const uint NonSync = 0x10000;

    private readonly List<double> _syncs = [];
    private long? _first;
    private long _end;
    private long _duration;
    private long _presented = long.MaxValue;
    private long _innerJump;
    private int _samples;
    private int _falseSyncs;
    private bool _startsWithSync;

    public void Add(ReadOnlySpan<byte> traf, ReadOnlySpan<byte> tfhd, ReadOnlySpan<byte> bytes, int moofStart)
    {
        var tfdt = BoxReader.Find(traf, "tfdt");
        if (tfdt.IsEmpty)
            throw new Mp4Exception("no tfdt");
        var time = tfdt[0] == 1 ? (long)BoxReader.U64(tfdt, 4) : BoxReader.U32(tfdt, 4);
        if (_first is null)
            _first = time;
        else
            _innerJump = Math.Max(_innerJump, Math.Abs(time - _end));
        _end = time;
        var defaults = Defaults(tfhd);
        var reader = new BoxReader(traf);
        while (reader.Next())
        {
            if (reader.Type == "trun")
                Run(reader.Body, defaults, bytes, moofStart);
        }
    }

    public TrackSummary Build() => new(track.Id, track.IsVideo)
    {
        Start = Seconds(_first ?? 0),
        End = Seconds(_end),
        Duration = Seconds(_duration),
        Tick = Seconds(1),
        Presented = Seconds(_samples > 0 ? _presented : _first ?? 0),
        InnerJump = Seconds(_innerJump),
        Samples = _samples,
        StartsWithSync = _startsWithSync,
        Syncs = _syncs,
        FalseSyncs = _falseSyncs,
    };

    private double Seconds(long ticks) => (double)ticks / track.Timescale;

    private (uint Duration, uint Size, uint Flags) Defaults(ReadOnlySpan<byte> tfhd)
    {
        var flags = BoxReader.U32(tfhd, 0) & 0xFFFFFF;
        var at = 8 + ((flags & 1) != 0 ? 8 : 0) + ((flags & 2) != 0 ? 4 : 0);
        var (duration, size, sampleFlags) = (track.DefaultDuration, track.DefaultSize, track.DefaultFlags);
        if ((flags & 8) != 0)
        {
            duration = BoxReader.U32(tfhd, at);
            at += 4;
        }

        if ((flags & 0x10) != 0)
        {
            size = BoxReader.U32(tfhd, at);
            at += 4;
        }

        if ((flags & 0x20) != 0)
            sampleFlags = BoxReader.U32(tfhd, at);
        return (duration, size, sampleFlags);
    }

    private void Run(ReadOnlySpan<byte> trun, (uint Duration, uint Size, uint Flags) defaults, ReadOnlySpan<byte> bytes, int moofStart)
    {
        var flags = BoxReader.U32(trun, 0) & 0xFFFFFF;
        var count = BoxReader.U32(trun, 4);
        var at = 8;
        uint Field(uint bit, uint other, ReadOnlySpan<byte> run)
        {
            if ((flags & bit) == 0)
                return other;
            at += 4;
            return BoxReader.U32(run, at - 4);
        }

        // data_offset counts from the moof box, as default-base-is-moof is required of fragments by CMAF.
        var data = moofStart + (long)Field(1, uint.MaxValue, trun);
        var hasOffset = (flags & 1) != 0;
        var firstFlags = Field(4, defaults.Flags, trun);
        for (var i = 0; i < count; i++)
        {
            var duration = Field(0x100, defaults.Duration, trun);
            var size = Field(0x200, defaults.Size, trun);
            var sampleFlags = Field(0x400, i == 0 && (flags & 4) != 0 ? firstFlags : defaults.Flags, trun);
            var offset = (int)Field(0x800, 0, trun);
            var sample = hasOffset && data + size <= bytes.Length ? bytes.Slice((int)data, (int)size) : default;
            Sample(duration, sampleFlags, offset, sample);
            data += size;
        }
    }

    private void Sample(uint duration, uint flags, int offset, ReadOnlySpan<byte> bytes)
    {
        var sync = (flags & NonSync) == 0;
        var presented = _end + offset;
        _presented = Math.Min(_presented, presented);
        if (_samples++ == 0)
            _startsWithSync = sync;
        if (sync)
        {
            _syncs.Add(Seconds(presented));
            if (track.NalLength > 0 && !bytes.IsEmpty && !HasKeyPicture(bytes))
                _falseSyncs++;
        }

        _end += duration;
        _duration += duration;
    }

    /// <summary>Whether an IDR slice (H.264 type 5) or an IRAP slice (H.265 types 16 to 21) is among the NAL units.</summary>
    private bool HasKeyPicture(ReadOnlySpan<byte> sample)
    {
        var hevc = track.Format is "hvc1" or "hev1";
        while (sample.Length > track.NalLength)
        {
            long length = 0;
            for (var i = 0; i < track.NalLength; i++)
                length = (length << 8) | sample[i];
            sample = sample[track.NalLength..];
            if (length == 0 || length > sample.Length)
                return false;
            var type = hevc ? (sample[0] >> 1) & 0x3F : sample[0] & 0x1F;
            if (hevc ? type is >= 16 and <= 21 : type == 5)
                return true;
            sample = sample[(int)length..];
        }

        return false;
    }
}
