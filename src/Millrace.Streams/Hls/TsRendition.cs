using System.Buffers;
using Millrace.Media;
using Millrace.Media.MpegTs;
using Millrace.Streams.Buffers;
using Millrace.Streams.Log;

namespace Millrace.Streams.Hls;

/// <summary>
/// All tracks of an Era that MPEG-TS can carry, in one playlist. Units are written as they come, in the log's order; a
/// segment has the units between two Marks.
/// </summary>
internal sealed class TsRendition(HlsPackager packager) : HlsRendition(packager, new RenditionId(TrackKind.Video, 0))
{
    private readonly ArrayBufferWriter<byte> _packets = new(64 * 1024);
    private byte[] _unit = [];
    private Era? _era;
    private int[] _slots = [];
    private int[] _configs = [];
    private TsMuxer? _muxer;
    private bool _isBroken;
    private bool _awaitsKey;

    /// <summary>What keeps the format from carrying an Era; null: it can.</summary>
    public static string? WhyUnsupported(Era era) =>
        era.Leading is not { } leading ? "the stream has neither video nor audio"
        : CanCarry(leading) ? null
        : $"{CodecInfo.NameOf(leading.Codec)} cannot be carried in MPEG-TS";

    public override void OnEra(Era era, StreamLog log, long from)
    {
        Abandon();
        _era = WhyUnsupported(era) is null ? era : null;
        _configs = new int[era.Tracks.Length];
        _slots = new int[era.Tracks.Length];
        var slots = 0;
        foreach (var track in era.Tracks)
        {
            _slots[track.Id] = CanCarry(track) ? slots++ : -1;
            _configs[track.Id] = from < 0 ? 0 : log.ConfigAt(from, track);
        }
    }

    public override void OnConfig(in LogEntry entry) => _configs[entry.Track] = entry.Number;

    public override void OnMark(in LogEntry mark, StreamLog log)
    {
        if (mark.Mark.Kind != MarkKind.Segment)
            return;
        if (Open is { } begun && begun.IsSameAs(mark))
        {
            Reannounce(mark);
            return;
        }

        if (Open is { } open && open.Number != mark.Mark.Number)
            Finish(open, mark.DtsMicros - open.BorderMicros);
        _muxer = null;
        if (Packager.CanBegin(mark))
            Begin(mark, KeyOf(mark));
        _isBroken = false;
        _awaitsKey = Packager.IsStrict;
    }

    public override void OnPause(StreamLog log)
    {
    }

    public override void OnUnit(in LogEntry entry, StreamLog log)
    {
        if (_era is null || Open is null || _slots[entry.Track] < 0 || _isBroken)
            return;
        var track = _era.Tracks[entry.Track];
        _awaitsKey &= !(track == _era.Leading && entry.IsKey);
        if (_awaitsKey && track == _era.Leading)
            return;
        _packets.ResetWrittenCount();
        if (_muxer is null)
            Start();
        if (_unit.Length < entry.Length)
            _unit = new byte[entry.Length * 2];
        var payload = _unit.AsSpan(0, entry.Length);
        log.Bytes.CopyTo(entry.Position, payload);
        _muxer!.Write(_slots[entry.Track], track.Configs[entry.Number], payload, entry.Dts, entry.Pts, entry.IsKey, _packets);
        Append(Open.Bytes);
    }

    /// <summary>The number of the content key of a segment; -1: it is not encrypted.</summary>
    private long KeyOf(in LogEntry mark) =>
        Packager.Ts is not { IsEncrypted: true } ts ? -1
        : ts.SegmentsPerKey == 0 ? mark.EraNumber
        : mark.Mark.Number / ts.SegmentsPerKey * ts.SegmentsPerKey;

    private static bool CanCarry(Track track) =>
        track.Kind != TrackKind.Data && TsMuxer.CanCarry(track.Codec) && (track.Configs.IsEmpty || TsMuxer.CanCarry(track.Configs[0]));

    /// <summary>A muxer for each segment: what a segment holds does not depend on the one before.</summary>
    private void Start()
    {
        var tracks = new List<TsTrack>();
        var configs = new List<Config>();
        foreach (var track in _era!.Tracks)
        {
            if (_slots[track.Id] < 0)
                continue;
            tracks.Add(new TsTrack(track.Codec, track.Timescale, track.Language));
            configs.Add(track.Configs[_configs[track.Id]]);
        }

        _muxer = new TsMuxer(tracks, configs);
        _muxer.BeginSegment(_packets);
    }

    private void Append(BlockLog target)
    {
        if (Packager.Memory.TryReserve(target, _packets.WrittenCount))
            target.Append(_packets.WrittenSpan);
        else
            _isBroken = true;
    }

    private void Finish(HlsSegment segment, long duration)
    {
        if (_muxer is not null && !_isBroken)
        {
            _packets.ResetWrittenCount();
            _muxer.EndSegment(_packets);
            Append(segment.Bytes);
        }

        if (segment.Key >= 0 && segment.Bytes.Head > 0 && !_isBroken)
            _isBroken = !TryEncrypt(segment);
        if (_isBroken)
        {
            // There was no room for it: a segment that lacks packets is worse than none.
            segment.Bytes.Dispose();
            segment.Bytes = new BlockLog(Packager.Memory.Pool, Packager.Memory.Windows);
            _isBroken = false;
        }

        segment.Add(new HlsPart(0, (int)segment.Bytes.Head, duration, true, ""));
        Seal(duration, HlsSegment.Hash(segment.Bytes, 0, segment.Bytes.Head));
    }

    private bool TryEncrypt(HlsSegment segment)
    {
        var plain = segment.Bytes;
        var target = new BlockLog(Packager.Memory.Pool, Packager.Memory.Windows);
        var done = Packager.Memory.TryReserve(target, AesSegment.LengthOf(plain.Head));
        if (done)
        {
            Encrypt(plain, segment, target);
            segment.Bytes = target;
        }

        (done ? plain : target).Dispose();
        return done;
    }

    private void Encrypt(BlockLog plain, HlsSegment segment, BlockLog target)
    {
        using var cipher = new AesSegment(Packager.Timeline.ContentKey(segment.Key), segment.Number);
        for (long position = 0; position < plain.Head;)
        {
            var run = plain.Read(position, plain.Head - position);
            position += run.Length;
            _packets.ResetWrittenCount();
            cipher.Append(run, _packets);
            target.Append(_packets.WrittenSpan);
        }

        _packets.ResetWrittenCount();
        cipher.End(_packets);
        target.Append(_packets.WrittenSpan);
    }
}
