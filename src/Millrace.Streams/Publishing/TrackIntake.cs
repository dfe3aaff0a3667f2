using Millrace.Media;
using Millrace.Media.Codecs;
using Millrace.Streams.Log;

namespace Millrace.Streams.Publishing;

/// <summary>The receiving end of one track of a publisher: its newest Config and the repair of its time.</summary>
/// <param name="kind">Audio, video or data.</param>
/// <param name="sourceId">The sender's track number.</param>
/// <param name="audioTolerance">How far audio counted by samples may leave the sender's clock before it is rebased, microseconds.</param>
internal sealed class TrackIntake(TrackKind kind, int sourceId, long audioTolerance)
{
    public const int VideoTimescale = 90_000;
    public const int DataTimescale = 1_000;

    /// <summary>Stands in where a codec does not say its rate.</summary>
    private const int DefaultAudioTimescale = 48_000;

    private const long DefaultFrameMicros = 33_333;
    private const long LongestFrameMicros = 1_000_000;

    private long _lastDts = -1;
    private int _timescale;
    private long _anchor;
    private long _samples;
    private long _frameMicros = DefaultFrameMicros;
    private bool _hasUnits;

    public TrackKind Kind => kind;

    public int SourceId => sourceId;

    /// <summary>What units that arrive now need.</summary>
    public Config? Config { get; private set; }

    /// <summary>The track of the open Era; null while the track is not part of it.</summary>
    public Track? Track { get; private set; }

    /// <summary>Number of the Config in force in <see cref="Track"/>.</summary>
    public int ConfigNumber { get; set; }

    /// <summary>A key frame of the newest Config's codec has come: the track is worth a place in an Era.</summary>
    public bool HasKey { get; set; }

    /// <summary>The next unit that is written must be a key frame.</summary>
    public bool AwaitsKey { get; set; } = true;

    /// <summary>Monotonic time at which the newest unit came, written or not, microseconds.</summary>
    public long LastSeen { get; set; }

    /// <summary>Latest sender time since the track's clock was started, microseconds.</summary>
    public long LastSender { get; private set; }

    public long LastArrived { get; private set; }

    /// <summary>False until the first unit was written.</summary>
    public bool HasSent { get; private set; }

    /// <summary>Decode time minus sender time, microseconds. Tracks of one sender differ only while a jump passes through.</summary>
    public long Offset { get; private set; }

    /// <summary>Which of the sender's clock starts <see cref="Offset"/> belongs to.</summary>
    public int ClockNumber { get; private set; } = -1;

    /// <summary>Media time at which the last unit ends, microseconds.</summary>
    public long EndMicros { get; private set; }

    /// <summary>True when units with the newest Config cannot go on in the Era's track.</summary>
    public bool NeedsNewTrack =>
        Track is null || Config is null || Config.Codec != Track.Codec || Track.Configs.Length >= Track.MaxConfigs
        || (Kind == TrackKind.Audio && TimescaleOf(Config) != Track.Timescale);

    public static int TimescaleOf(Config config) =>
        config.Kind != TrackKind.Audio ? VideoTimescale : config.SampleRate > 0 ? config.SampleRate : DefaultAudioTimescale;

    public void SetConfig(Config config)
    {
        if (config.Codec != Config?.Codec)
            (HasKey, AwaitsKey) = (false, true);
        Config = config;
    }

    public void Join(Track? track)
    {
        Track = track;
        ConfigNumber = -1;
        _hasUnits = false;
        if (track is null)
            return;
        // Dts grow over the border of Eras too.
        if (_timescale != 0 && _lastDts >= 0)
            _lastDts = Timescale.Convert(_lastDts, _timescale, track.Timescale);
        _timescale = track.Timescale;
    }

    /// <summary>Follows a start of the sender's clock.</summary>
    public void UseClock(int number, long offset, long sender) =>
        (ClockNumber, Offset, LastSender) = (number, offset, sender);

    /// <summary>Gives the unit its place: Dts and Pts in ticks, strictly growing Dts, Pts at or after Dts.</summary>
    public void Stamp(ref LogEntry entry, long sender, long ctsMicros, ReadOnlySpan<byte> payload, long now)
    {
        entry.DtsMicros = Math.Max(0, sender + Offset);
        Place(ref entry, ctsMicros, payload);
        entry.ArrivedMicros = now;
        LastSender = HasSent ? Math.Max(LastSender, sender) : sender;
        LastArrived = now;
        HasSent = true;
    }

    /// <summary>As <see cref="Stamp"/>, at the media time that stands in <see cref="LogEntry.DtsMicros"/>.</summary>
    public void Place(ref LogEntry entry, long ctsMicros, ReadOnlySpan<byte> payload)
    {
        var timescale = Track!.Timescale;
        var dts = Timescale.Convert(entry.DtsMicros, Timescale.Microseconds, timescale);
        if (Kind == TrackKind.Audio)
            dts = CountSamples(dts, timescale, payload);
        dts = Math.Max(dts, _lastDts + 1);
        entry.Dts = dts;
        entry.Pts = dts + Math.Max(0, Timescale.Convert(ctsMicros, Timescale.Microseconds, timescale));
        entry.DtsMicros = Timescale.Convert(dts, timescale, Timescale.Microseconds);
        Track.Reorder |= entry.Pts != entry.Dts;
        if (Kind == TrackKind.Video && _hasUnits)
            _frameMicros = Math.Min(Timescale.Convert(dts - _lastDts, timescale, Timescale.Microseconds), LongestFrameMicros);
        EndMicros = entry.DtsMicros + _frameMicros;
        _lastDts = dts;
        _hasUnits = true;
    }

    private long CountSamples(long dts, int timescale, ReadOnlySpan<byte> payload)
    {
        var samples = Config!.SamplesPerFrame;
        if (samples == 0 && Config.Codec == Codec.Opus)
            _ = Opus.TryReadDuration(payload, out samples);
        // A codec that does not say how much a frame holds goes by the sender's clock alone.
        if (samples == 0)
            return dts;
        var expected = _anchor + _samples;
        if (!_hasUnits || Math.Abs(Timescale.Convert(expected - dts, timescale, Timescale.Microseconds)) > audioTolerance)
        {
            _anchor = dts;
            _samples = 0;
            expected = dts;
        }

        _samples += samples;
        _frameMicros = Timescale.Convert(samples, timescale, Timescale.Microseconds);
        return expected;
    }
}
