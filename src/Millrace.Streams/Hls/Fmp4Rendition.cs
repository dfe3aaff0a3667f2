using Millrace.Media;
using Millrace.Media.Mp4;
using Millrace.Streams.Buffers;
using Millrace.Streams.Log;

namespace Millrace.Streams.Hls;

/// <summary>One track as CMAF: a part is one moof and mdat, a segment the parts of it.</summary>
/// <remarks>
/// Nothing here has a history: what a part holds follows from the log alone, so that a packager that starts late makes the
/// same bytes. A part closes once the track has a unit behind its border, or with the next border if it has none.
/// </remarks>
internal sealed class Fmp4Rendition(HlsPackager packager, RenditionId id) : HlsRendition(packager, id)
{
    /// <summary>Of mfhd's sequence number: a segment of 90 s has less than 4,096 parts of 100 ms.</summary>
    private const int PartBits = 12;

    /// <summary>Longest sample that trun's 32 bits of duration can say at any timescale in use, seconds.</summary>
    private const int MaxSampleSeconds = 60;

    /// <summary>Part of a second that a frame of sound may last longer, so that a small gap of the sender's clock leaves none in the player's buffer.</summary>
    private const int ClosedGaps = 10;

    private readonly List<LogEntry> _units = [];
    private readonly Queue<LogEntry> _borders = new();
    private Sample[] _samples = [];
    private byte[] _header = [];
    private Era? _era;
    private Track? _track;
    private HlsInit? _init;
    private int _config;
    private int _part;
    private long _end;
    private bool _beginsEra;
    private bool _awaitsKey;
    private bool _isEnding;

    public override long NeededFrom => _units.Count > 0 ? _units[0].Position : long.MaxValue;

    protected override Config? Config => _track is { } track && _config < track.Configs.Length ? track.Configs[_config] : null;

    public override void OnEra(Era era, StreamLog log, long from)
    {
        OnPause(log);
        Abandon();
        _units.Clear();
        _era = era;
        _track = Array.Find(era.Tracks, track => track.Kind == Id.Kind && track.WireId == Id.Number);
        _init = null;
        _config = _track is null || from < 0 ? 0 : log.ConfigAt(from, _track);
        _end = long.MinValue;
        _beginsEra = from < 0;
    }

    public override void OnConfig(in LogEntry entry)
    {
        if (entry.Track == _track?.Id)
            _config = entry.Number;
    }

    public override void OnUnit(in LogEntry entry, StreamLog log)
    {
        if (_track is null || entry.Track != _track.Id)
            return;
        _units.Add(entry);
        CloseParts(log);
    }

    public override void OnMark(in LogEntry mark, StreamLog log)
    {
        _borders.Enqueue(mark);
        CloseParts(log);
    }

    public override void OnPause(StreamLog log)
    {
        _isEnding = true;
        while (_borders.Count > 0)
            Close(_borders.Dequeue(), log);
        _isEnding = false;
    }

    private void CloseParts(StreamLog log)
    {
        while (_borders.TryPeek(out var border) && (_track is null || _borders.Count > 1 || (_units.Count > 0 && _units[^1].DtsMicros >= border.DtsMicros)))
            Close(_borders.Dequeue(), log);
    }

    private void Close(in LogEntry border, StreamLog log)
    {
        if (border.Mark.Kind == MarkKind.Segment && Open is { } open && open.IsSameAs(border))
        {
            Reannounce(border);
            return;
        }

        if (_end == long.MinValue)
            _end = BeginningOf(border.DtsMicros);
        var count = 0;
        while (count < _units.Count && _units[count].DtsMicros < border.DtsMicros)
            count++;
        var end = EndOf(count, border.DtsMicros);
        if (border.Mark.Kind == MarkKind.Segment && Open?.Number == border.Mark.Number)
        {
            // Media went on later than the segment that was to hold it began.
            Abandon();
            end = border.DtsMicros;
        }

        if (Open is not null && (count > 0 || end > _end || IsMissing(border)))
            AddPart(count, end, log);
        _units.RemoveRange(0, count);
        _end = end;
        if (border.Mark.Kind == MarkKind.Segment)
            BeginSegment(border);
    }

    private void BeginSegment(in LogEntry mark)
    {
        if (Open is { PartCount: > 0 } open)
            Seal(_end - open.StartMicros, open.HashOfParts());
        if (!Packager.CanBegin(mark))
            return;
        Begin(mark, key: -1);
        Open!.StartMicros = Id.Kind == TrackKind.Audio ? _end : mark.DtsMicros;
        _end = Open.StartMicros;
        _part = 0;
        _awaitsKey = Packager.IsStrict && Id.Kind == TrackKind.Video;
    }

    /// <summary>Sound that comes later than the picture with which an Era begins begins its segment later: nothing lasts before it.</summary>
    private long BeginningOf(long border)
    {
        if (_units.Count == 0)
            return border;
        return _beginsEra && Id.Kind == TrackKind.Audio ? _units[0].DtsMicros : Math.Min(border, _units[0].DtsMicros);
    }

    /// <summary>A segment shorter than one frame of sound still has its number.</summary>
    private bool IsMissing(in LogEntry border) =>
        border.Mark.Kind == MarkKind.Segment && Open!.PartCount == 0 && border.Mark.Number != Open.Number;

    /// <summary>Pictures last until the next one, wherever a border lies between; sound lasts as long as its samples.</summary>
    private long EndOf(int count, long border)
    {
        if (count == 0 || Id.Kind == TrackKind.Video)
            return Math.Max(border, _end);
        var duration = Timescale.Convert(DurationOf(count - 1, isLast: true), _track!.Timescale, Timescale.Microseconds);
        // What is closed of a gap lies behind the border: the planner reckons with one frame there.
        var frame = Timescale.Convert(SoundFrame(_track.Configs[_units[count - 1].Number]), _track.Timescale, Timescale.Microseconds);
        var end = Math.Max(_end, Math.Min(_units[count - 1].DtsMicros + duration, border + frame));
        // A hole begins here: what is left up to the border must not make the GAP part after it too long.
        var isHole = count == _units.Count ? end + duration < border : _units[count].DtsMicros - end > duration;
        return isHole && !_isEnding ? Math.Max(end, border) : end;
    }

    private void AddPart(int count, long end, StreamLog log)
    {
        var segment = Open!;
        // EXT-X-MAP stands before a segment's first part (RFC 8216bis 4.4.4.5), whether that is a GAP or not.
        if (_track is not null)
            segment.Init ??= UseInit(count > 0 ? _units[0].Number : _config);
        var first = FirstUsable(count, log);
        var duration = Math.Min(end - _end, Packager.PartTargetMicros > 0 ? Packager.PartTargetMicros : long.MaxValue);
        var part = first < count && TryWrite(first, count, end, segment, log, out var position, out var length)
            ? new HlsPart(position, length, duration, HasKey(first, count), HlsSegment.Hash(segment.Bytes, position, length))
            : new HlsPart(segment.Bytes.Head, 0, duration, false, "");
        segment.Add(part);
        _part++;
        MarkChanged();
    }

    /// <summary>Leaves out what the segment cannot hold: units of another Config, what the log has lost, and before the key frame of a strict segment.</summary>
    private int FirstUsable(int count, StreamLog log)
    {
        var first = 0;
        while (first < count && (_units[first].Position < log.Bytes.Tail || (_awaitsKey && !_units[first].IsKey)))
            first++;
        if (first == count || Open!.Init?.Config != _units[first].Number)
            return count;
        _awaitsKey = false;
        return first;
    }

    private HlsInit UseInit(int config)
    {
        if (_init is not null && _init.Config == config)
            return _init;
        var bytes = InitSection.Write(_track!.Configs[config], _track.Timescale, _track.Language);
        _init = new HlsInit(_era!.Number, config, bytes, HlsNames.Tag(bytes), Packager.NameKey);
        return _init;
    }

    private bool TryWrite(int first, int count, long end, HlsSegment segment, StreamLog log, out long position, out int length)
    {
        var config = _units[first].Number;
        var samples = 0;
        var payload = 0L;
        if (_samples.Length < count)
            _samples = new Sample[Math.Max(32, count * 2)];
        for (var i = first; i < count && _units[i].Number == config; i++)
        {
            var unit = _units[i];
            var duration = IsLastPicture(i) ? LastsUntil(unit, end) : DurationOf(i, i == count - 1);
            _samples[samples++] = new Sample { Length = unit.Length, Dts = unit.Dts, Pts = unit.Pts, IsKey = unit.IsKey, Duration = duration };
            payload += unit.Length;
        }

        var used = _samples.AsSpan(0, samples);
        var head = Fragment.MeasureHeader(used, Id.Kind);
        position = segment.Bytes.Head;
        length = (int)Math.Min(int.MaxValue, head + payload);
        if (length == int.MaxValue || !Packager.Memory.TryReserve(segment.Bytes, length))
            return false;
        if (_header.Length < head)
            _header = new byte[head * 2];
        Fragment.WriteHeader(_header, SequenceOf(segment.Number, _part), used, Id.Kind);
        segment.Bytes.Append(_header.AsSpan(0, head));
        for (var i = 0; i < samples; i++)
            segment.Bytes.Append(log.Bytes, _units[first + i].Position, _units[first + i].Length);
        return true;
    }

    /// <summary>From segment and part, never from a count of what this packager has written.</summary>
    private static uint SequenceOf(long segment, int part) => (uint)((segment << PartBits) + part + 1);

    private bool HasKey(int first, int count)
    {
        for (var i = first; i < count; i++)
        {
            if (_units[i].IsKey || Id.Kind == TrackKind.Audio)
                return true;
        }

        return false;
    }

    private bool IsLastPicture(int index) => Id.Kind == TrackKind.Video && index == _units.Count - 1;

    /// <summary>Ticks up to the end of the part: no picture follows that would say how long this one lasts.</summary>
    private int LastsUntil(in LogEntry unit, long end) =>
        (int)Math.Clamp(Timescale.Convert(end, Timescale.Microseconds, _track!.Timescale) - unit.Dts, 1, (long)MaxSampleSeconds * _track.Timescale);

    /// <summary>Ticks to the next unit. Of the last sound before a hole, what the codec says: only what nobody hears is closed.</summary>
    private int DurationOf(int index, bool isLast)
    {
        var unit = _units[index];
        var limit = (long)MaxSampleSeconds * _track!.Timescale;
        var gap = index + 1 < _units.Count ? Math.Clamp(_units[index + 1].Dts - unit.Dts, 1, limit) : 0;
        if (Id.Kind == TrackKind.Video || (!isLast && gap > 0))
            return (int)gap;
        var nominal = SoundFrame(_track.Configs[unit.Number]);
        return gap == 0 || gap > nominal + (_track.Timescale / ClosedGaps) ? nominal : (int)gap;
    }

    /// <summary>Ticks that a frame of sound lasts; where the codec does not say, 20 ms.</summary>
    private int SoundFrame(Config config) => config.SamplesPerFrame > 0 ? config.SamplesPerFrame : _track!.Timescale / 50;
}
