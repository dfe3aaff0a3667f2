using System.Text.Json;
using Millrace.Bench.Load;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Publish;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Curves;

/// <summary>Puts one load on one server: publishers in one process, viewers in as many as their descriptors need.</summary>
internal sealed class Stage(CurvePlan plan)
{
    /// <summary>A process has at most 20,000 descriptors here, and what it reads with.</summary>
    private const int ViewersOfAProcess = 9_000;

    private const int PublishersRamp = 1_000;

    // Less than the time between two audio frames: each goes out by itself, as encoders send them.
    private const int PublishersPaceMs = 20;
    private readonly Dictionary<int, ClipIndex> _clips = [];

    public ClipIndex Clip(int kilobits) =>
        _clips.TryGetValue(kilobits, out var clip) ? clip : _clips[kilobits] = ClipIndex.Load(Publisher.ClipPath(kilobits), wholeTurns: true);

    public CurveReport Run(ServerUnderTest server, LoadPoint point)
    {
        var clip = Clip(point.Kilobits);
        server.Start(plan.ServerCore);
        var publishing = new PublishersPlan
        {
            Port = server.RtmpPort,
            App = ServerUnderTest.App,
            Publishers = point.Streams,
            Clip = clip.Path,
            Ramp = PublishersRamp,
            PaceMs = PublishersPaceMs,
            Seconds = 0,
        };
        using var publishers = FleetProcess.Start(plan.LoadCore, publishing);
        Thread.Sleep(1500); // a second of each stream, so that the first viewers find it
        using var gauges = new ServerGauges(server.Metrics);
        int processes = (point.Viewers + ViewersOfAProcess - 1) / ViewersOfAProcess;
        ChildProcess[] loads = [.. Enumerable.Range(0, processes).Select(i => ChildProcess.StartSelf(plan.LoadCore, Players(server, point, clip, i, processes).ToArguments(), keepOutput: true))];
        try
        {
            return new CurveReport
            {
                Point = point,
                Players = [.. loads.Select(static load => load.ReadReport<PlayersReport>())],
                Publishers = publishers.Finish(publishing),
                WindowFactor = gauges.WindowFactorOfLast(plan.Seconds),
                LatePasses = gauges.LatePasses,
                Skips = gauges.Skips,
                ClipBitsPerSecond = clip.BitsPerSecond,
                ClipMessagesPerSecond = clip.MessagesPerSecond,
            };
        }
        finally
        {
            foreach (var load in loads) load.Dispose();
        }
    }

    private PlayersPlan Players(ServerUnderTest server, LoadPoint point, ClipIndex clip, int process, int processes)
    {
        int first = point.Viewers * process / processes;
        return new PlayersPlan
        {
            Port = server.RtmpPort,
            App = ServerUnderTest.App,
            Name = new PublishersPlan { Port = 0, Clip = "" }.Prefix,
            Streams = point.Streams,
            First = first,
            Viewers = (point.Viewers * (process + 1) / processes) - first,
            Ramp = plan.Ramp / processes,
            Settle = plan.Settle,
            Seconds = plan.Seconds,
            PaceMs = plan.PaceMs,
            SegmentBytes = plan.SegmentBytes,
            // The first measures the server for all; the others are at work in the same seconds.
            Watch = process == 0 ? server.ProcessId : 0,
            WatchCore = process == 0 ? plan.ServerCore : -1,
            Clip = clip.Path,
        };
    }
}
