using Millrace.Media;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Time;

namespace Millrace.Streams.Publishing;

internal enum AppendResult
{
    Done,

    /// <summary>The lease has ended (takeover, kick): the publisher must go.</summary>
    Stale,

    /// <summary>The memory budget has no room even for one group of pictures.</summary>
    OutOfMemory,

    /// <summary>More tracks than <see cref="PublisherLease.MaxTracks"/>.</summary>
    TooManyTracks,
}

/// <summary>
/// One publisher's exclusive right to append to a stream. It gathers tracks until the set has settled, opens Eras, and is
/// the place where time is repaired. Used from the publisher's thread; each call takes the stream's lock.
/// </summary>
internal sealed partial class PublisherLease : StreamLease
{
    public const int MaxTracks = 16;

    /// <summary>How long promised tracks and key frames are waited for, in multiples of <c>tracks.settle</c>.</summary>
    private const int PromiseFactor = 10;

    private readonly LiveStream _stream;
    private TrackIntake[] _intakes = [];
    private readonly TrackIntake _data = new(TrackKind.Data, 0, audioTolerance: 0);
    private readonly SenderClock _clock = new();
    private readonly PendingUnits _pending;
    private int _clockNumber;
    private bool _isOpen;
    private bool _isMultitrack;
    private bool _promisesVideo;
    private bool _promisesAudio;
    private long _firstUnit = long.MaxValue;
    private long _firstStart = long.MaxValue;
    private long _lift;
    private long _wantedLift;
    private EraReason? _eraDue;

    internal PublisherLease(LiveStream stream, PublisherInfo info, Action<string> onRevoked, long now)
        : base(info, onRevoked, now)
    {
        _stream = stream;
        _pending = new PendingUnits(stream.Resources.Budget[Buffers.MemoryUse.PendingUnits]);
    }

    /// <summary>The first Era has begun: viewers can be served. For the publisher's thread.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>What onMetaData announces: the Era opens as soon as these are there.</summary>
    public void Promise(bool video, bool audio) => (_promisesVideo, _promisesAudio) = (video, audio);

    public AppendResult SetConfig(int sourceId, Config config)
    {
        lock (_stream.Gate)
        {
            if (!_stream.Holds(this))
                return AppendResult.Stale;
            var intake = Find(config.Kind, sourceId);
            if (intake is null)
                return AppendResult.TooManyTracks;
            _isMultitrack |= sourceId != 0;
            intake.SetConfig(config);
            intake.LastSeen = LastArrived;
            return AppendResult.Done;
        }
    }

    /// <summary>Appends one access unit, in the log's form: length-prefixed NAL units or OBUs, no parameter sets.</summary>
    /// <param name="kind">Audio or video.</param>
    /// <param name="sourceId">The sender's track number.</param>
    /// <param name="sender">Sender's decode time, microseconds, wraps undone.</param>
    /// <param name="ctsMicros">Presentation minus decode time, microseconds.</param>
    /// <param name="isKey">Decodable without an earlier unit.</param>
    /// <param name="payload">Copied before the call returns.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public AppendResult Append(TrackKind kind, int sourceId, long sender, long ctsMicros, bool isKey, ReadOnlySpan<byte> payload, long now)
    {
        lock (_stream.Gate)
        {
            if (!_stream.Holds(this))
                return AppendResult.Stale;
            LastArrived = now;
            if (Known(kind, sourceId) is not { Config: not null } intake || payload.IsEmpty)
                return AppendResult.Done;
            intake.LastSeen = now;
            intake.HasKey |= isKey;
            return _isOpen
                ? AppendOpen(intake, sender, ctsMicros, isKey, payload, now)
                : Gather(intake, sender, ctsMicros, isKey, payload, now);
        }
    }

    /// <summary>Appends script data, kept byte for byte. It never opens, delays or ends anything.</summary>
    public AppendResult AppendData(long sender, ReadOnlySpan<byte> body, long now)
    {
        lock (_stream.Gate)
        {
            if (!_stream.Holds(this))
                return AppendResult.Stale;
            if (!_isOpen)
                return _pending.TryAdd(_data, sender, 0, false, body, now) ? AppendResult.Done : AppendResult.OutOfMemory;
            return WriteData(sender + _clock.Offset, body, now);
        }
    }

    /// <summary>
    /// Merges into the metadata that joiners are sent, and tells those who watch: the AMF body of onMetaData, without
    /// @setDataFrame. What is no onMetaData passes as data.
    /// </summary>
    public AppendResult SetMetadata(ReadOnlySpan<byte> body, long now)
    {
        lock (_stream.Gate)
        {
            if (!_stream.Holds(this))
                return AppendResult.Stale;
            var isState = StreamMetadata.TryMerge(Metadata, body, out var merged);
            if (isState)
                Metadata = merged;
            if (!_isOpen)
                return AppendResult.Done;
            if (!isState)
                return WriteData(_stream.Timeline.EndMicros, body, now);
            _stream.ChangeMetadata(Metadata);
            return WriteData(_stream.Timeline.EndMicros, Metadata.Span, now);
        }
    }

    public ReadOnlyMemory<byte> Metadata { get; private set; }

    /// <summary>Ends the publication; the stream then waits for its grace.</summary>
    /// <param name="isClean">The publisher said that it ends, so that players are told at once.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void End(bool isClean, long now)
    {
        lock (_stream.Gate)
        {
            _stream.EndLease(this, isClean, now);
        }
    }

    public override void Dispose() => _pending.Dispose();

    private TrackIntake? Known(TrackKind kind, int sourceId)
    {
        foreach (var intake in _intakes)
        {
            if (intake.Kind == kind && intake.SourceId == sourceId)
                return intake;
        }

        return null;
    }

    private TrackIntake? Find(TrackKind kind, int sourceId)
    {
        if (Known(kind, sourceId) is { } known)
            return known;
        if (_intakes.Length == MaxTracks)
            return null;
        var added = new TrackIntake(kind, sourceId, _stream.Resources.Options.AudioToleranceMicros);
        _intakes = [.. _intakes, added];
        return added;
    }

    private AppendResult Gather(TrackIntake intake, long sender, long ctsMicros, bool isKey, ReadOnlySpan<byte> payload, long now)
    {
        var isVideo = intake.Kind == TrackKind.Video;
        // A video unit before its first key frame can be decoded by nobody.
        if (isVideo && !intake.HasKey)
            return AppendResult.Done;
        if (!_pending.TryAdd(intake, sender, ctsMicros, isKey, payload, now))
            return AppendResult.OutOfMemory;
        _firstUnit = Math.Min(_firstUnit, now);
        if (isVideo || !HasConfig(TrackKind.Video))
            _firstStart = Math.Min(_firstStart, now);
        // The old lease ends with the newcomer's first key frame, whatever else the newcomer's track set waits for.
        if (isVideo)
            _stream.TakeOver(this);
        return HasSettled(now) ? Open(now) : AppendResult.Done;
    }

    private bool HasConfig(TrackKind kind)
    {
        foreach (var intake in _intakes)
        {
            if (intake.Kind == kind && intake.Config is not null)
                return true;
        }

        return false;
    }

    private bool HasSettled(long now)
    {
        var settle = _stream.Resources.Options.SettleMicros;
        if (now - _firstUnit >= settle * PromiseFactor)
            return true;
        if (_firstStart == long.MaxValue)
            return false;
        var isPromised = _promisesVideo || _promisesAudio;
        if (!isPromised || _isMultitrack)
            return now - _firstStart >= settle;
        return (!_promisesVideo || HasVideoKey()) && (!_promisesAudio || HasConfig(TrackKind.Audio));
    }

    private bool HasVideoKey() => Array.Exists(_intakes, static intake => intake.Kind == TrackKind.Video && intake.HasKey);
}
