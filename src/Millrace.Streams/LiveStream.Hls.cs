using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;

namespace Millrace.Streams;

/// <content>Cuts, which are made whether somebody watches or not, and the HLS packagers that obey them.</content>
internal sealed partial class LiveStream
{
    /// <summary>Units of other tracks may lie this far before the cut in the log and still belong behind it.</summary>
    private const long CutLookBack = 2_000_000;

    private CutPlanner[] _cuts = [];
    private HlsPackager[] _hls = [];
    private HlsPackager[] _retiredHls = [];
    private Timeline? _reportedTimeline;

    /// <summary>Bytes in the segments of all HLS packagers.</summary>
    public long HeldHlsBytes => _hls.Sum(packager => packager.HeldBytes) + _retiredHls.Sum(packager => packager.HeldBytes);

    /// <summary>HLS as it is set for the stream's app.</summary>
    public HlsOptions Hls { get; } = resources.Hls(name);

    /// <summary>The cuts of LL-HLS, and those of MPEG-TS HLS where they differ; none where HLS is off.</summary>
    public ReadOnlySpan<CutPlanner> Cuts => _cuts;

    /// <summary>The forms that are being packaged now.</summary>
    public IEnumerable<HlsFormat> HlsFormats => _hls.Select(static packager => packager.Format);

    /// <summary>The packager of the running Timeline, if there is one and somebody has asked before; any thread.</summary>
    public HlsPackager? FindHls(HlsFormat format)
    {
        foreach (var packager in Volatile.Read(ref _hls))
        {
            if (packager.Format == format)
                return packager.IsAsked ? packager : null;
        }

        return null;
    }

    /// <summary>The packager of the Timeline that ended last, while its objects can be fetched and nothing else is live; any thread.</summary>
    public HlsPackager? FindEndedHls(HlsFormat format) =>
        State == StreamState.Idle ? Array.FindLast(Volatile.Read(ref _retiredHls), packager => packager.Format == format) : null;

    /// <summary>The packager whose objects have that key in their names, those of ended Timelines included; any thread.</summary>
    public HlsPackager? FindHls(HlsFormat format, string key)
    {
        foreach (var packagers in (ReadOnlySpan<HlsPackager[]>)[Volatile.Read(ref _hls), Volatile.Read(ref _retiredHls)])
        {
            foreach (var packager in packagers)
            {
                if (packager.Format == format && packager.Key == key)
                    return packager;
            }
        }

        return null;
    }

    /// <summary>
    /// The packager of the running Timeline, started (and filled from the log) if it is the first to be asked for. Null
    /// when nothing is live, or when the form of HLS is switched off or can carry nothing.
    /// </summary>
    /// <param name="format">Which form.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="unsupported">What the format cannot carry; null when the stream is not live.</param>
    public HlsPackager? UseHls(HlsFormat format, long now, out string? unsupported)
    {
        lock (Gate)
        {
            unsupported = null;
            if (State == StreamState.Idle || Timeline.Era is not { } era)
                return null;
            unsupported = format == HlsFormat.TransportStream ? TsRendition.WhyUnsupported(era)
                : era.Leading is null ? "the stream has neither video nor audio"
                : null;
            if (unsupported is not null)
                return null;
            var packager = Array.Find(_hls, other => other.Format == format) ?? StartHls(format, now);
            packager.Ask(now);
            return packager;
        }
    }

    /// <summary>Frees memory that nobody would miss at once, for this stream or another. Returns the bytes. Inside the lock.</summary>
    internal long Shed(ShedLevel level)
    {
        var freed = level == ShedLevel.Idle ? ShedIdlePackagers() : 0;
        foreach (var packager in (HlsPackager[])[.. _hls, .. _retiredHls])
        {
            freed += level switch
            {
                ShedLevel.Retained => packager.Expire(packager.Now, isShedding: true),
                ShedLevel.Windows when !packager.IsEvent => packager.ShedWindows(),
                _ => 0,
            };
        }

        return freed;
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
        packager.BackFill(_log!);
        if (State == StreamState.Grace)
            packager.OnPause(_log!);
        Volatile.Write(ref _hls, [.. _hls, packager]);
        return packager;
    }

    private void PauseHls(long now)
    {
        foreach (var packager in _hls)
            packager.Advance(now);
        foreach (var planner in _cuts)
            planner.OnPause(Timeline.EndMicros);
        foreach (var packager in _hls)
            packager.OnPause(_log!);
    }

    private void BeginHlsEra(Era era)
    {
        foreach (var planner in _cuts)
            planner.OnEra(era);
        foreach (var packager in _hls)
            packager.OnEra(era, _log!);
        if (_cuts.Length > 0 && _hls.Length == 0 && Hls.IsWarm)
            StartHls(HlsFormat.LowLatency, Timeline.LastArrivedMicros);
    }

    /// <summary>The unit is about to be appended: what it ends is decided first.</summary>
    private void Cut(in LogEntry unit, Era era)
    {
        if (era.Tracks[unit.Track].Kind == Media.TrackKind.Data)
            return;
        foreach (var packager in _hls)
            packager.Advance(unit.ArrivedMicros);
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
        TellHls(mark);
    }

    private void TellHls(in LogEntry entry)
    {
        foreach (var packager in _hls)
            packager.OnEntry(entry, _log!);
    }

    private void RetireHls(long now)
    {
        foreach (var packager in _hls)
            packager.Retire(now);
        Volatile.Write(ref _retiredHls, [.. _retiredHls, .. _hls]);
        Volatile.Write(ref _hls, []);
    }

    /// <summary>Stops what nobody has asked for, forgets what has been fetchable for long enough.</summary>
    private void SweepHls(long now)
    {
        ReportHardCuts();
        foreach (var packager in _hls)
        {
            packager.Expire(now);
            if (now - packager.LastUsed >= Math.Max(Hls.IdleMicros, packager.LongestHoldMicros) && !(Hls.IsWarm && packager.Format == HlsFormat.LowLatency))
                StopHls(packager);
        }

        foreach (var packager in _retiredHls)
        {
            packager.Expire(now);
            if (packager.IsDrained)
                Volatile.Write(ref _retiredHls, Array.FindAll(_retiredHls, other => other != packager));
        }
    }

    private void ReportHardCuts()
    {
        if (_reportedTimeline == Timeline || !Array.Exists(_cuts, static planner => planner.Rule.IsStrict && planner.HardCuts > 0))
            return;
        _reportedTimeline = Timeline;
        Resources.Report(Name, $"hls.keyframes is strict, but the publisher sent no key frame within {_cuts[0].TargetSeconds} s: what lies before the next is left out of HLS");
    }

    private void StopHls(HlsPackager packager)
    {
        Volatile.Write(ref _hls, Array.FindAll(_hls, other => other != packager));
        packager.Dispose();
    }
}
