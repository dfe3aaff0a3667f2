using Millrace.Media;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Time;

namespace Millrace.Streams.Publishing;

/// <content>Opens Eras and repairs time.</content>
internal sealed partial class PublisherLease
{
    /// <summary>No coder reorders over more than this, microseconds; the 24-bit field could say two hours.</summary>
    private const long MaxLift = 1_000_000;

    private AppendResult Open(long now)
    {
        _stream.TakeOver(this);
        _stream.GoLive(now);
        var isFirst = _stream.Timeline.Era is null;
        var start = FindStart(isFirst, out var delay);
        foreach (var intake in _intakes)
            intake.AwaitsKey = true;
        BeginEra(isFirst ? EraReason.Start : _stream.StartReason, start, start + delay);
        _isOpen = true;
        var result = AppendResult.Done;
        var isBefore = true;
        while (_pending.Count > 0)
        {
            var unit = _pending.Take();
            // After a reconnect the Era begins at its key frame; what lies before belongs to no picture.
            isBefore &= unit.Intake == _data || unit.Sender < start;
            if (result == AppendResult.Done && (!isBefore || unit.Intake == _data))
                result = AppendPending(unit);
            _pending.Release(unit);
        }

        return result;
    }

    private AppendResult AppendPending(in PendingUnit unit)
    {
        var payload = unit.Payload.AsSpan(0, unit.Length);
        return unit.Intake == _data
            ? WriteData(unit.Sender + _clock.Offset, payload, unit.ArrivedMicros)
            : AppendOpen(unit.Intake, unit.Sender, unit.CtsMicros, unit.IsKey, payload, unit.ArrivedMicros);
    }

    /// <summary>Sender time at which the Era begins, and the least that a waiting unit's arrival is behind its sender time.</summary>
    private long FindStart(bool isFirst, out long delay)
    {
        delay = long.MaxValue;
        var earliest = long.MaxValue;
        var firstKey = long.MaxValue;
        foreach (var unit in _pending)
        {
            if (unit.Intake == _data)
                continue;
            // A jump among the waiting units is found when they are appended.
            if (earliest != long.MaxValue && Math.Abs(unit.Sender - earliest) > PromiseFactor * SenderClock.MaxForwardGap)
                break;
            earliest = Math.Min(earliest, unit.Sender);
            delay = Math.Min(delay, unit.ArrivedMicros - unit.Sender);
            _wantedLift = Math.Max(_wantedLift, LiftFor(unit.CtsMicros));
            if (unit.Intake.Kind == TrackKind.Video && unit.IsKey)
                firstKey = Math.Min(firstKey, unit.Sender);
        }

        return isFirst || firstKey == long.MaxValue ? earliest : firstKey;
    }

    private AppendResult AppendOpen(TrackIntake intake, long sender, long ctsMicros, bool isKey, ReadOnlySpan<byte> payload, long now)
    {
        if (intake.NeedsNewTrack && IsWorthATrack(intake))
            _eraDue = EraReason.TracksChanged;
        if (_eraDue is { } due && CanStartEra(intake, isKey, now))
            BeginEra(due, sender, now);
        if (intake.NeedsNewTrack || (intake.Kind == TrackKind.Video && intake.AwaitsKey && !isKey))
            return AppendResult.Done;
        FollowClock(intake, sender, now);
        if (IsBeforeEra(intake, sender))
            return AppendResult.Done;
        intake.AwaitsKey = false;
        if (LiftFor(ctsMicros) > _wantedLift)
        {
            _wantedLift = LiftFor(ctsMicros);
            _eraDue ??= EraReason.Reorder;
        }

        if (intake.ClockNumber == _clockNumber && _clock.Observe(sender, now))
            _eraDue ??= EraReason.Drift;
        if (intake.Kind == TrackKind.Audio && !_stream.Timeline.Era!.HasVideo)
            isKey = true;
        return Write(intake, sender, ctsMicros, isKey, payload, now);
    }

    /// <summary>
    /// An Era begins at a key frame of the first video track; without video at any audio unit. Video that has stalled
    /// holds nobody up.
    /// </summary>
    private bool CanStartEra(TrackIntake intake, bool isKey, long now)
    {
        var patience = _stream.Resources.Options.SettleMicros * PromiseFactor;
        foreach (var other in _intakes)
        {
            if (other.Kind == TrackKind.Video && other.Config is not null && now - other.LastSeen < patience)
                return isKey && other == intake;
        }

        return intake.Kind == TrackKind.Audio || isKey;
    }

    /// <summary>
    /// The first track that jumps opens the Era; the others keep the old offset until their own time fits the new one
    /// better.
    /// </summary>
    private void FollowClock(TrackIntake intake, long sender, long now)
    {
        if (intake.ClockNumber != _clockNumber)
        {
            var byNew = sender + OffsetOf(intake) - intake.EndMicros;
            var byOld = sender + intake.Offset - intake.EndMicros;
            if (!intake.HasSent || Math.Abs(byNew) < Math.Abs(byOld))
            {
                intake.UseClock(_clockNumber, OffsetOf(intake), sender);
                return;
            }
        }

        if (!intake.HasSent || !_clock.IsJump(sender, intake.LastSender, intake.Offset, now, intake.LastArrived))
            return;
        RestartClock(sender, now);
        intake.UseClock(_clockNumber, OffsetOf(intake), sender);
        OpenEra(EraReason.TimeJump, sender);
    }

    /// <summary>Where time is not continuous, audio that lags behind the unit that began the Era would lie on top of the Era before.</summary>
    private bool IsBeforeEra(TrackIntake intake, long sender)
    {
        var era = _stream.Timeline.Era!;
        return intake.Kind == TrackKind.Audio && era.Reason != EraReason.TracksChanged && intake.ClockNumber == _clockNumber && sender + intake.Offset < era.StartMicros;
    }

    /// <summary>Video is decoded earlier by the lift, so that it is presented when the sender says.</summary>
    private long OffsetOf(TrackIntake intake) => _clock.Offset - (intake.Kind == TrackKind.Video ? _lift : 0);

    private void BeginEra(EraReason reason, long sender, long now)
    {
        _eraDue = null;
        if (reason != EraReason.TracksChanged)
            RestartClock(sender, now);
        foreach (var intake in _intakes)
        {
            intake.Join(null);
            intake.UseClock(_clockNumber, OffsetOf(intake), intake.LastSender);
        }

        OpenEra(reason, sender);
    }

    private void RestartClock(long sender, long now)
    {
        _clockNumber++;
        _lift = _wantedLift;
        _clock.Start(sender, _stream.Timeline.NextMicros(now) + _lift, now);
    }

    /// <summary>Video without a key frame would leave viewers nothing to join by.</summary>
    private static bool IsWorthATrack(TrackIntake intake) => intake.Config is not null && (intake.Kind != TrackKind.Video || intake.HasKey);

    private static long LiftFor(long ctsMicros) => Math.Min(-ctsMicros, MaxLift);

    private void OpenEra(EraReason reason, long sender)
    {
        var tracks = new List<Track>();
        foreach (var intake in _intakes)
        {
            if (!IsWorthATrack(intake))
                continue;
            var config = intake.Config!;
            var wireId = (byte)tracks.Count(other => other.Kind == config.Kind);
            var (language, label) = StreamMetadata.OfTrack(Metadata, config.Kind, intake.SourceId);
            var track = new Track(tracks.Count, intake.SourceId, wireId, config.Codec, TrackIntake.TimescaleOf(config)) { Language = language, Label = label };
            tracks.Add(track);
            intake.Join(track);
            intake.ConfigNumber = track.AddConfig(config);
        }

        var data = new Track(tracks.Count, 0, 0, Codec.Amf, TrackIntake.DataTimescale);
        tracks.Add(data);
        _data.Join(data);
        _data.ConfigNumber = 0;
        _stream.OpenEra([.. tracks], reason, Metadata, Math.Max(0, _clock.ToMedia(sender) - _lift), _clock.Lateness);
    }

    private AppendResult Write(TrackIntake intake, long sender, long ctsMicros, bool isKey, ReadOnlySpan<byte> payload, long now)
    {
        var track = intake.Track!;
        var entry = new LogEntry { Kind = LogEntryKind.Unit, IsKey = isKey, Track = (short)track.Id, Number = intake.ConfigNumber };
        intake.Stamp(ref entry, sender, intake.Kind == TrackKind.Video ? ctsMicros + _lift : 0, payload, now);
        if ((isKey || intake.Kind == TrackKind.Audio) && !intake.Config!.Equals(track.Config))
        {
            var previous = intake.ConfigNumber;
            entry.Number = intake.ConfigNumber = track.AddConfig(intake.Config);
            _stream.AppendConfig(entry, previous);
        }

        track.Stats.Add(payload.Length, isKey, entry.DtsMicros, now);
        return _stream.AppendUnit(ref entry, payload, intake.EndMicros, _clock.Lateness) ? AppendResult.Done : AppendResult.OutOfMemory;
    }

    /// <summary>Data take the sender's time where it is near the media's, else the media's: senders often leave it 0.</summary>
    private AppendResult WriteData(long media, ReadOnlySpan<byte> body, long now)
    {
        var end = _stream.Timeline.EndMicros;
        var entry = new LogEntry { Kind = LogEntryKind.Unit, Track = (short)_data.Track!.Id, ArrivedMicros = now };
        entry.DtsMicros = Math.Max(0, Math.Abs(media - end) <= SenderClock.MaxForwardGap ? media : end);
        _data.Place(ref entry, 0, body);
        _data.Track.Stats.Add(body.Length, false, entry.DtsMicros, now);
        return _stream.AppendUnit(ref entry, body, 0, _clock.Lateness) ? AppendResult.Done : AppendResult.OutOfMemory;
    }
}
