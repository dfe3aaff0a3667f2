using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;

namespace Millrace.Streams;

/// <content>Cuts, which are made whether somebody watches or not, and the HLS packagers that obey them.</content>
internal sealed partial class LiveStream
{
    /// <summary>Units of other tracks may lie this far before the cut in the log and still belong behind it.</summary>
    private const long CutLookBack = 2_000_000;

    private readonly HlsPackagers _hls = new();
    private CutPlanner[] _cuts = [];
    private Timeline? _reportedTimeline;

    /// <summary>Bytes in the segments of all HLS packagers.</summary>
    public long HeldHlsBytes => _hls.HeldBytes;

    /// <summary>HLS as it is set for the stream's app, at the node that decides.</summary>
    public HlsOptions Hls { get; private set; } = resources.Hls(name);

    /// <summary>The cuts of LL-HLS, and those of MPEG-TS HLS where they differ; none where HLS is off.</summary>
    public ReadOnlySpan<CutPlanner> Cuts => _cuts;

    /// <summary>The forms that are being packaged now.</summary>
    public IEnumerable<HlsFormat> HlsFormats => _hls.Active.Select(static packager => packager.Format);

    /// <summary>The packager of the running Timeline, if there is one and somebody has asked before; any thread.</summary>
    public HlsPackager? FindHls(HlsFormat format) => _hls.Find(format) is { IsAsked: true } packager ? packager : null;

    /// <summary>The packager of the Timeline that ended last, while its objects can be fetched and nothing else is live; any thread.</summary>
    public HlsPackager? FindEndedHls(HlsFormat format) =>
        State == StreamState.Idle ? _hls.FindRetired(format) : null;

    /// <summary>The packager whose objects have that key in their names, those of ended Timelines included; any thread.</summary>
    public HlsPackager? FindHls(HlsFormat format, string key) => _hls.Find(format, key);

    /// <summary>
    /// The packager of the running Timeline, started (and filled from the log) if it is the first to be asked for. Null
    /// when nothing is live, or when the form of HLS is switched off or can carry nothing; and where another node decides, until that has
    /// told its playlists.
    /// </summary>
    /// <param name="format">Which form.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="unsupported">What the format cannot carry; null when the stream is not live.</param>
    /// <param name="onStarted">Called inside the stream's lock once another node has told its playlists, or the Timeline has ended.</param>
    public HlsPackager? UseHls(HlsFormat format, long now, out string? unsupported, Action? onStarted = null)
    {
        lock (Gate)
        {
            if (!CanStartHls(format, out unsupported))
                return null;
            var packager = _hls.Find(format) ?? (IsAuthority ? StartHls(format, now) : null);
            packager?.Ask(now);
            if (packager is null)
                AwaitHls(format, onStarted);
            return packager;
        }
    }

    /// <summary>
    /// Whether <see cref="UseHls"/> would start a packager if there were none. Any thread: the answer may be out of date at once.
    /// </summary>
    /// <param name="format">Which form.</param>
    /// <param name="unsupported">What the format cannot carry; null when the stream is not live.</param>
    public bool CanStartHls(HlsFormat format, out string? unsupported)
    {
        unsupported = null;
        if (State == StreamState.Idle || Timeline.Era is not { } era)
            return false;
        unsupported = !Hls.IsEnabled || (format == HlsFormat.TransportStream && Hls.Ts is null) ? "this form of HLS is switched off where the stream is published"
            : format == HlsFormat.TransportStream ? TsRendition.WhyUnsupported(era)
            : era.Leading is null ? "the stream has neither video nor audio"
            : null;
        return unsupported is null;
    }

    /// <summary>Frees memory that nobody would miss at once, for this stream or another. Returns the bytes. Inside the lock.</summary>
    /// <param name="level">What is to go.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="bytes">That many are enough.</param>
    internal long Shed(ShedLevel level, long now, long bytes)
    {
        var freed = level switch
        {
            ShedLevel.Idle => _wires.ShedIdle(bytes),
            ShedLevel.Logs => _wires.ShedLogs() + (_log?.Shed(_hls.NeededFrom) ?? 0),
            _ => 0,
        };
        return freed < bytes ? freed + _hls.Shed(level, now, bytes - freed) : freed;
    }

    /// <summary>A new Timeline has its own numbering.</summary>
    private void ResetCuts(long now)
    {
        CutRule?[] rules = Hls.IsEnabled ? [Hls.Cuts, Hls.Ts?.Cuts] : [];
        _cuts = [.. rules.Where(static rule => rule is not null).Select(
            (rule, index) => new CutPlanner((MarkSeries)index, rule!, AppendMark, firstNumber: rule!.IsContinuous ? ClockNumber(now) : 0))];
    }

    /// <summary>A numbering that is higher than any that the node has used before, whether it was restarted or not: seconds since 2024.</summary>
    private long ClockNumber(long now) => ((now + Resources.Options.UnixOffsetMicros) / 1_000_000) - 1_704_067_200;

    private HlsPackager StartHls(HlsFormat format, long now)
    {
        var cuts = format == HlsFormat.TransportStream ? _cuts[^1] : _cuts[0];
        var packager = new HlsPackager(this, format, Hls, cuts, now);
        BackFill(packager);
        return packager;
    }

    private void BackFill(HlsPackager packager)
    {
        _log!.ReadFrom = _log.First;
        packager.BackFill(_log);
        _log.ReadFrom = long.MaxValue;
        _hls.Add(packager);
    }

    private void CutForPause(long now)
    {
        _hls.Advance(now);
        foreach (var planner in _cuts)
            planner.OnPause(Timeline.EndMicros);
    }

    private void BeginHlsEra(Era era)
    {
        foreach (var planner in _cuts)
            planner.OnEra(era);
        foreach (var packager in _hls.Active)
            packager.OnEra(era, _log!);
        if (_cuts.Length > 0 && _hls.Active.Length == 0 && Hls.IsWarm)
            StartHls(HlsFormat.LowLatency, Timeline.LastArrivedMicros);
    }

    /// <summary>The unit is about to be appended: what it ends is decided first.</summary>
    private void Cut(in LogEntry unit, Era era)
    {
        if (era.Tracks[unit.Track].Kind == Media.TrackKind.Data)
            return;
        _hls.Advance(unit.ArrivedMicros);
        var needed = long.MaxValue;
        foreach (var planner in _cuts)
        {
            if (unit.Track == era.Leading!.Id)
                planner.OnLeading(unit.DtsMicros, unit.IsKey);
            else
                planner.OnOther(unit.DtsMicros);
            needed = Math.Min(needed, planner.NeededFrom);
        }

        _log!.NeededFrom = needed == long.MaxValue ? needed : needed - CutLookBack;
    }

    /// <summary>The unit has found room in the log.</summary>
    private void NoteCut(in LogEntry unit, Era era)
    {
        if (unit.Track != era.Leading?.Id)
            return;
        foreach (var planner in _cuts)
            planner.OnAppended(unit.DtsMicros, unit.IsKey);
    }

    private void CutForConfig(in LogEntry unit, int previous, Era era)
    {
        var track = era.Tracks[unit.Track];
        var (old, next) = (track.Configs[previous], track.Configs[unit.Number]);
        var isBreak = track.Kind == Media.TrackKind.Video && (old.Width != next.Width || old.Height != next.Height);
        foreach (var planner in _cuts)
            planner.OnConfig(unit.DtsMicros, track == era.Leading, isBreak);
    }

    private void AppendMark(LogEntry mark)
    {
        _log!.Append(mark);
        foreach (var packager in _wires.Active)
            packager.OnMark(mark, _log);
        TellHls(mark);
    }

    private void TellHls(in LogEntry entry)
    {
        foreach (var packager in _hls.Active)
            packager.OnEntry(entry, _log!);
    }

    private void ReportHardCuts()
    {
        if (_reportedTimeline == Timeline || !Array.Exists(_cuts, static planner => planner.Rule.IsStrict && planner.HardCuts > 0))
            return;
        _reportedTimeline = Timeline;
        Resources.Report(Name, $"hls.keyframes is strict, but the publisher sent no key frame within {_cuts[0].TargetSeconds} s: what lies before the next is left out of HLS");
    }
}
