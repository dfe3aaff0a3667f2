using System.Buffers;

namespace Millrace.Media.MpegTs;

/// <summary>
/// Makes the segments of an HLS stream as MPEG-TS (ISO/IEC 13818-1; RFC 8216bis 3.1.1). A segment's bytes depend on the constructor's
/// arguments and on the calls since <see cref="BeginSegment"/> only, so two packagers of the same log make the same bytes. Each PID of a
/// segment has a multiple of 16 packets with payload: every continuity counter starts at 0 and segments still join without a gap.
/// </summary>
public sealed class TsMuxer
{
    /// <summary>Ticks per second of PTS, DTS and the PCR base.</summary>
    public const int ClockRate = 90_000;

    /// <summary>
    /// 1.4 s of 90 kHz ticks. PTS and DTS are the times of the log plus this, modulo 2^33. X-TIMESTAMP-MAP (RFC 8216bis 3.1.4) must count it.
    /// </summary>
    public const long TimestampOffset = 126_000;

    /// <summary>
    /// 0.7 s of 90 kHz ticks: the PCR is a picture's DTS in the log plus this. So a receiver has all tracks of an instant 0.7 s before it
    /// decodes them, and a log that begins a little below zero does not begin with a wrap.
    /// </summary>
    public const long ClockOffset = 63_000;

    /// <summary>Bytes of the longest access unit; a longer one is left out. The limit of RTMP messages here.</summary>
    public const int MaxUnitLength = 16 << 20;

    private const int FirstVideoPid = 0x100, OtherPids = 0x101;

    /// <summary>The tables come again after 0.4 s, so that with PES packets of 0.1 s they are never more than 0.5 s apart.</summary>
    private const long TablesInterval = ClockRate * 4 / 10;

    /// <summary>0.1 s at most between two PCRs (2.7.2).</summary>
    private const long PcrInterval = ClockRate / 10;

    /// <summary>PCRs put between two pictures at most; a longer pause than 10 s is no frame rate.</summary>
    private const int MaxFilledPcrs = 100;

    private readonly TsStream[] _streams;
    private readonly int[] _timescales;
    private readonly TsStream _clock;
    private readonly byte[] _pat;
    private readonly byte[] _pmt;
    private int _patPackets;
    private int _pmtPackets;
    private bool _areTablesFresh;
    private long? _tablesTime;

    // As the log has it, without the offset.
    private long? _pcr;

    /// <param name="tracks">
    /// At least one; <see cref="CanCarry(Codec)"/> each. PIDs: the first video track has 0x100, all others 0x101, 0x102 and so on in their order.
    /// The clock is on the first video track, or else on the first.
    /// </param>
    /// <param name="configs">The Config of each track, for the programme map.</param>
    /// <exception cref="ArgumentException">No tracks, other codecs, or more tracks than the programme map holds (about 50).</exception>
    public TsMuxer(IReadOnlyList<TsTrack> tracks, IReadOnlyList<Config> configs)
    {
        if (tracks.Count == 0 || tracks.Count != configs.Count || !tracks.All(static track => CanCarry(track.Codec)))
            throw new ArgumentException("one Config for each of one or more tracks that MPEG-TS can carry", nameof(tracks));

        int video = -1;
        for (int i = tracks.Count - 1; i >= 0; i--)
            video = CodecInfo.KindOf(tracks[i].Codec) == TrackKind.Video ? i : video;
        int clock = Math.Max(video, 0), next = OtherPids;
        int[] pids = new int[tracks.Count];
        _streams = new TsStream[tracks.Count];
        _timescales = new int[tracks.Count];
        for (int i = 0; i < tracks.Count; i++)
        {
            pids[i] = i == video ? FirstVideoPid : next++;
            _streams[i] = new TsStream(pids[i], tracks[i].Codec, carriesPcr: i == clock, marksFirst: video < 0);
            _timescales[i] = tracks[i].Timescale;
        }

        _clock = _streams[clock];
        _pat = TsTables.BuildPat();
        _pmt = TsTables.BuildPmt(tracks, configs, pids, _clock.Pid);
    }

    public static bool CanCarry(Codec codec) =>
        codec is Codec.H264 or Codec.Hevc or Codec.Aac or Codec.Mp3 or Codec.Ac3 or Codec.Eac3 or Codec.Opus;

    /// <summary>Also false for AAC that ADTS has no header for, and for Opus in a layout that the programme map has no code for.</summary>
    public static bool CanCarry(Config config) =>
        CanCarry(config.Codec) && ElementaryForm.CanCarry(config, 1)
        && (config.Codec != Codec.Opus || OpusInTs.ChannelCodeOf(config) != OpusInTs.UnknownLayout);

    /// <summary>Writes PAT and PMT. Whatever an unfinished segment held back is forgotten.</summary>
    public void BeginSegment(IBufferWriter<byte> output)
    {
        foreach (TsStream stream in _streams)
            stream.Reset();
        _patPackets = _pmtPackets = 0;
        _tablesTime = _pcr = null;
        WritePat(output);
        WritePmt(output);
        _areTablesFresh = true;
    }

    /// <summary>
    /// Takes one access unit. It is written when the next ones of its track have come, at the latest by <see cref="EndSegment"/>.
    /// A unit that is empty, longer than <see cref="MaxUnitLength"/> or (AAC) does not fit an ADTS header is left out.
    /// </summary>
    /// <param name="track">Index of the constructor's list.</param>
    /// <param name="config">The unit's; of the track's codec.</param>
    /// <param name="payload">
    /// H.264 and HEVC: length-prefixed NAL units without parameter sets and delimiters, which are added here (the sets in front of
    /// key frames and of the segment's first picture). AAC without ADTS header; others whole frames.
    /// </param>
    /// <param name="dts">Ticks of the track's timescale; ascending within a track.</param>
    /// <param name="pts">Ticks of the track's timescale; not below <paramref name="dts"/>.</param>
    /// <param name="isKey">A decoder can start with this picture.</param>
    /// <param name="output">Gets whole packets of units before this one.</param>
    public void Write(
        int track, Config config, ReadOnlySpan<byte> payload, long dts, long pts, bool isKey, IBufferWriter<byte> output)
    {
        if (payload.Length is 0 or > MaxUnitLength || !ElementaryForm.CanCarry(config, payload.Length))
            return;
        TsStream stream = _streams[track];
        long time = Timescale.Convert(dts, _timescales[track], ClockRate);
        if (stream.TryJoin(config, payload, time))
            return;
        while (stream.CanRelease(payload.Length))
            WriteFront(stream, output);
        stream.Open(config, payload, time, Timescale.Convert(pts, _timescales[track], ClockRate), isKey);
        if (stream == _clock)
            FillPcr(output);
    }

    /// <summary>Ends the segment: writes what was held back and the tables that are missing to 16.</summary>
    public void EndSegment(IBufferWriter<byte> output)
    {
        foreach (TsStream stream in _streams)
            stream.Stretch();
        while (Oldest() is { } stream)
            WriteFront(stream, output);
        while ((_patPackets | _pmtPackets) % TsStream.CounterPeriod != 0)
        {
            if (_patPackets % TsStream.CounterPeriod != 0)
                WritePat(output);
            if (_pmtPackets % TsStream.CounterPeriod != 0)
                WritePmt(output);
        }
    }

    private TsStream? Oldest()
    {
        TsStream? oldest = null;
        foreach (TsStream stream in _streams)
        {
            if (stream.IsHolding && (oldest is null || stream.Front.Dts < oldest.Front.Dts))
                oldest = stream;
        }

        return oldest;
    }

    private void WriteFront(TsStream stream, IBufferWriter<byte> output)
    {
        HeldPes pes = stream.Front;
        RepeatTables(pes.Dts, stream.IsVideo && pes.IsKey, output);
        if (stream == _clock)
            _pcr = _pcr is { } last ? Math.Max(last, pes.Dts) : pes.Dts;
        else if (_clock.IsIdle && (_pcr is null || pes.Dts > _pcr))
            WritePcr(pes.Dts, output); // The clock's track pauses.
        else if (_pcr is null)
            WritePcr(_clock.Front.Dts - 1, output); // Its first unit waits: the clock must not go beyond it.
        stream.WriteFront(output, (_pcr ?? 0) + ClockOffset);
        _areTablesFresh = false;
    }

    private void RepeatTables(long time, bool isKeyFrame, IBufferWriter<byte> output)
    {
        _tablesTime ??= time;
        if (_areTablesFresh || (!isKeyFrame && time - _tablesTime < TablesInterval))
            return;
        WritePat(output);
        WritePmt(output);
        _tablesTime = time;
    }

    /// <summary>Brings the clock from its last value near to the picture that is written next, when the frame rate is below 10 a second.</summary>
    private void FillPcr(IBufferWriter<byte> output)
    {
        long next = _clock.Front.Dts;
        for (int i = 0; i < MaxFilledPcrs && _pcr is { } last && last + PcrInterval < next; i++)
            WritePcr(last + PcrInterval, output);
    }

    /// <summary>A packet without payload has the counter of the one before it (2.4.3.3).</summary>
    private void WritePcr(long time, IBufferWriter<byte> output)
    {
        _pcr = time;
        TsPacket.Write(output, _clock.Pid, _clock.Packets - 1, isStart: false, isRandomAccess: false, time + ClockOffset, default);
    }

    private void WritePat(IBufferWriter<byte> output) => WriteTable(TsTables.PatPid, _pat, ref _patPackets, output);

    private void WritePmt(IBufferWriter<byte> output) => WriteTable(TsTables.PmtPid, _pmt, ref _pmtPackets, output);

    private static void WriteTable(int pid, ReadOnlySpan<byte> table, ref int packets, IBufferWriter<byte> output)
    {
        for (int i = 0; i < table.Length; i += TsPacket.MaxPayload)
            TsPacket.Write(output, pid, packets++, isStart: i == 0, isRandomAccess: false, null, table.Slice(i, TsPacket.MaxPayload));
    }
}
