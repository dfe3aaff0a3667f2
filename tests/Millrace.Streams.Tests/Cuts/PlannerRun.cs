using Millrace.Media;
using Millrace.Streams.Cuts;
using Millrace.Streams.Log;

namespace Millrace.Streams.Tests.Cuts;

/// <summary>A planner that is fed the times of units, without a stream. Times in microseconds.</summary>
internal sealed class PlannerRun
{
    public PlannerRun(CutRule rule, long firstNumber = 0)
    {
        Planner = new CutPlanner(MarkSeries.LowLatency, rule, Marks.Add, firstNumber);
        var video = new Track(0, 0, 0, Codec.H264, 90_000);
        video.AddConfig(TestStream.H264Config);
        Begin(new Era(0, [video], 0, EraReason.Start) { EpochMicros = 1_700_000_000_000_000 });
    }

    public static CutRule WithoutParts { get; } = new() { PartMicros = 0 };

    public CutPlanner Planner { get; }

    public List<LogEntry> Marks { get; } = [];

    public Era Era { get; private set; } = null!;

    public List<LogEntry> Segments => Marks.FindAll(mark => mark.Mark.Kind == MarkKind.Segment);

    /// <summary>Where segments begin, seconds.</summary>
    public List<double> Starts => Segments.ConvertAll(mark => Math.Round(mark.DtsMicros / 1e6, 3));

    /// <summary>Names of segments.</summary>
    public List<long> Names => Segments.ConvertAll(mark => mark.Dts);

    public void Begin(Era era)
    {
        Era = era;
        Planner.OnEra(era);
    }

    /// <summary>
    /// What a playlist makes of the Marks: where segments begin, seconds, with <c>!</c> where a discontinuity comes before. The
    /// second Mark of one number takes the place of the first. Throws where numbers have holes or the count of discontinuities is wrong.
    /// </summary>
    public string Playlist
    {
        get
        {
            var listed = new List<LogEntry>();
            foreach (var mark in Segments)
            {
                if (listed.Count > 0 && listed[^1].Mark.Number == mark.Mark.Number)
                    listed.RemoveAt(listed.Count - 1);
                if (listed.Count > 0)
                {
                    mark.Mark.Number.ShouldBe(listed[^1].Mark.Number + 1);
                    mark.DtsMicros.ShouldBeGreaterThan(listed[^1].DtsMicros);
                    mark.Number.ShouldBe(listed[^1].Number + (mark.Mark.IsBreak ? 1 : 0), $"discontinuities at {mark.DtsMicros}");
                }

                listed.Add(mark);
            }

            return string.Join(' ', listed.Select(static mark => FormattableString.Invariant($"{Math.Round(mark.DtsMicros / 1e6, 2)}{(mark.Mark.IsBreak ? "!" : "")}")));
        }
    }

    /// <summary>One picture; false for <paramref name="isAppended"/>: the log has no room for it.</summary>
    public PlannerRun Picture(double at, bool isKey = true, bool isAppended = true)
    {
        Planner.OnLeading(Milliseconds(at), isKey);
        if (isAppended)
            Planner.OnAppended(Milliseconds(at), isKey);
        return this;
    }

    public PlannerRun Other(double at)
    {
        Planner.OnOther(Milliseconds(at));
        return this;
    }

    public PlannerRun Config(double at, bool isLeading = true, bool isBreak = true)
    {
        Planner.OnConfig(Milliseconds(at), isLeading, isBreak);
        return this;
    }

    public PlannerRun Pause(double at)
    {
        Planner.OnPause(Milliseconds(at));
        return this;
    }

    /// <summary>Another Era of the same tracks; its first picture begins it.</summary>
    public PlannerRun NextEra(double at)
    {
        Begin(new Era(Era.Number + 1, Era.Tracks, Milliseconds(at), EraReason.Reconnect) { EpochMicros = Era.EpochMicros });
        return this;
    }

    /// <summary>Pictures of a steady rate, times rounded to milliseconds, with keys where <paramref name="isKey"/> says.</summary>
    public PlannerRun Feed(double seconds, Func<int, bool> isKey, double rate = 25, double from = 0)
    {
        for (var i = 0; i < seconds * rate; i++)
            Picture(from + (i / rate), isKey(i));
        return this;
    }

    /// <summary>Keys at these times, seconds.</summary>
    public PlannerRun FeedKeys(double seconds, params double[] keys)
    {
        var frames = keys.Select(key => (int)Math.Round(key * 25)).ToHashSet();
        return Feed(seconds, frames.Contains);
    }

    private static long Milliseconds(double seconds) => (long)Math.Round(seconds * 1_000) * 1_000;
}
