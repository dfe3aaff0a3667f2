using System.Buffers;
using Millrace.Protocols.Relay;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Relay;

/// <summary>
/// Writes a stream's log, entry by entry, for other nodes: each message of the wire log is one entry, so that an entry's number says where it lies.
/// </summary>
internal sealed class RelayPackager(LiveStream stream, WireKey key) : WirePackager(stream, key)
{
    /// <summary>How often the way of a unit is told, microseconds.</summary>
    private const long HopsMicros = 1_000_000;

    /// <summary>Media time from one entry to the next that is no gap, microseconds.</summary>
    private const long LongestStep = 500_000;

    /// <summary>Smallest step of the wall clock that is told, microseconds.</summary>
    private const long ClockStep = 1_000;

    private readonly ArrayBufferWriter<byte> _message = new(1_024);
    private readonly ArrayBufferWriter<byte> _payload = new(1_024);
    private long _base;
    private long _baseIndex;
    private long _next = -1;
    private long _segment = long.MinValue;
    private long _toldEpoch;
    private long _toldHops;
    private Era? _toldEra;
    private bool _isMetadataDue;
    private long _elapsed;
    private long _lastDts;

    /// <summary>The relay carries whatever there is.</summary>
    public override string? WhyEmpty() => null;

    /// <summary>Where the entry of that number lies among the messages; -1 where it is not kept, or has not come.</summary>
    public long Find(long number)
    {
        var index = number - _base;
        return index >= Math.Max(_baseIndex, Wire.FloorNumber) && index <= Wire.Index.End ? index : -1;
    }

    public override void BackFill(StreamLog log)
    {
        if (log.First == log.End)
            return;
        for (var number = RelayJoin.Find(log); number < log.End; number++)
            Write(number, log);
    }

    public override void OnEra(Era era) => Write(Stream.Log!.End - 1, Stream.Log);

    public override void OnConfig(in LogEntry entry, StreamLog log) => Write(log.End - 1, log);

    public override void OnUnit(in LogEntry entry, StreamLog log) => Write(log.End - 1, log);

    public override void OnMark(in LogEntry entry, StreamLog log) => Write(log.End - 1, log);

    public override void OnFork() => Write(Stream.Log!.End - 1, Stream.Log);

    public override void OnPause(in LogEntry entry)
    {
        Write(Stream.Log!.End - 1, Stream.Log);
        base.OnPause(entry);
    }

    public override void OnMetadata() => _isMetadataDue = true;

    private void Write(long number, StreamLog log)
    {
        if (IsStopped)
            return;
        ref readonly var entry = ref log[number];
        var isStart = _next != number;
        var isJoinPoint = IsKeyFrame(entry, log) || entry.Kind == LogEntryKind.EraStart;
        // What a receiver cannot go on from after a loss is of no use to it.
        if (isStart && !isJoinPoint && _next >= 0)
            return;
        Compose(entry, number, log, isStart, out var length);
        var total = _message.WrittenCount + (long)length;
        MakeRoom(total, isJoinPoint, entry.ArrivedMicros);
        if (Wire.AwaitsJoinPoint)
            Wire.Resume(total);
        if (!Wire.TryBegin(total, Tick(entry.DtsMicros), null, keepsEverywhere: false))
        {
            _next = 0;
            return;
        }

        if (isStart)
            (_base, _baseIndex) = (number - Wire.Index.End + 1, Wire.Index.End - 1);
        Wire.Bytes.Append(_message.WrittenSpan);
        if (length > 0)
            Wire.Bytes.Append(log.Bytes, entry.Position, length);
        _next = number + 1;
        Wire.Commit();
        MoveJoin(entry, number, log, isStart, isJoinPoint);
    }

    /// <summary>
    /// Media time without its gaps, milliseconds: where it jumps no receiver is late, and none may lose what lies before.
    /// </summary>
    private long Tick(long dtsMicros)
    {
        _elapsed += Math.Clamp(dtsMicros - _lastDts, 0, LongestStep);
        _lastDts = Math.Max(_lastDts, dtsMicros);
        return _elapsed / 1_000;
    }

    private static bool IsKeyFrame(in LogEntry entry, StreamLog log) =>
        entry is { Kind: LogEntryKind.Unit, IsKey: true } && log.EraOf(entry.EraNumber).Leading is { } leading && leading.Id == entry.Track;

    /// <summary>Whoever comes from here on starts with the segment that is open; where nothing is cut, with the newest key frame.</summary>
    private void MoveJoin(in LogEntry entry, long number, StreamLog log, bool isStart, bool isJoinPoint)
    {
        var isSegment = entry.Kind == LogEntryKind.Mark && entry.Mark.Kind == MarkKind.Segment && entry.Mark.Number != _segment;
        if (isSegment)
            _segment = entry.Mark.Number;
        var isDue = isSegment || isStart || (isJoinPoint && (Wire.JoinNumber < 0 || !Stream.Hls.IsEnabled));
        if (!isDue)
            return;
        var from = isSegment ? RelayJoin.Find(log) : number;
        var index = Find(from);
        if (index < 0)
            (from, index) = (number, Find(number));
        if (index >= 0)
            Wire.SetJoin(index, new WirePreamble([new WireHeader(0, RelayStart.Write(Stream, log, from))]));
    }

    private void Compose(in LogEntry entry, long number, StreamLog log, bool isStart, out int length)
    {
        _message.ResetWrittenCount();
        var era = log.EraOf(entry.EraNumber);
        // For those who have waited since before; whoever starts at a join point has it from the preamble, and takes no harm.
        if (isStart)
            _message.Write(RelayStart.Write(Stream, log, number));
        if (_isMetadataDue)
            RelayWriter.Message(_message, RelayMessageType.Metadata, Stream.Metadata.Span);
        _isMetadataDue = false;
        if (entry.Kind == LogEntryKind.Unit)
            TellClock(entry, era);
        length = entry.Kind == LogEntryKind.Unit ? entry.Length : 0;
        Span<byte> head = stackalloc byte[RelayEntry.MaxUnitFields];
        if (entry.Kind == LogEntryKind.Unit)
        {
            var fields = head[..RelayEntry.WriteUnit(head, entry)];
            _message.Advance(RelayFrame.WriteHeader(_message.GetSpan(RelayFrame.MaxHeader), RelayMessageType.Unit, fields.Length + length));
            _message.Write(fields);
            return;
        }

        _payload.ResetWrittenCount();
        RelayWriter.Message(_message, WriteRest(entry, era), _payload.WrittenSpan);
    }

    private RelayMessageType WriteRest(in LogEntry entry, Era era)
    {
        switch (entry.Kind)
        {
            case LogEntryKind.EraStart:
                RelayFields.Write(new RelayWriter(_payload), era);
                return RelayMessageType.Era;
            case LogEntryKind.Config:
                RelayEntry.WriteConfig(_payload, entry, era.Tracks[entry.Track].Configs[entry.Number]);
                return RelayMessageType.Config;
            case LogEntryKind.Mark:
                RelayEntry.WriteMark(_payload, entry);
                return RelayMessageType.Mark;
            case LogEntryKind.Fork:
                RelayEntry.WriteFork(_payload, entry, Stream);
                return RelayMessageType.Fork;
            default:
                RelayEntry.WritePause(_payload, entry);
                return RelayMessageType.Pause;
        }
    }

    /// <summary>The wall clock where it has moved, and now and then the way of a unit: its authority begins, each node adds itself.</summary>
    private void TellClock(in LogEntry entry, Era era)
    {
        var epoch = era.EpochMicros;
        var hasHops = Stream.Hops.HasUnit || (Stream.IsAuthority && entry.ArrivedMicros - _toldHops >= HopsMicros);
        if (!hasHops && era == _toldEra && Math.Abs(epoch - _toldEpoch) < ClockStep)
            return;
        (_toldEpoch, _toldEra) = (epoch, era);
        if (hasHops)
            _toldHops = entry.ArrivedMicros;
        _payload.ResetWrittenCount();
        var arrived = entry.ArrivedMicros + Stream.Resources.Options.UnixOffsetMicros;
        Stream.Hops.Write(_payload, epoch, hasHops, Stream.Resources.Node, arrived, hasHops ? Stream.Publisher : null);
        RelayWriter.Message(_message, RelayMessageType.Clock, _payload.WrittenSpan);
    }
}
