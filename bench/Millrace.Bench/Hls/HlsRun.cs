using System.Globalization;
using System.Text.Json;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Hls;

/// <summary>Runs the rounds of `hls` and says what came out.</summary>
internal sealed class HlsRun(HlsPlan plan)
{
    private const string StreamName = "clip";
    private readonly ClipIndex _clip = ClipIndex.Load(Publisher.ClipPath());
    private readonly List<string> _faults = [];
    private readonly List<WaitersReport> _blocked = [];
    private readonly List<SteadyReport> _steady = [];
    private readonly Configurations _configurations = new();

    public int Execute()
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{_clip.BitsPerSecond / 1e6:F2} Mbit/s in parts of {plan.PartMs} ms; server on core {plan.ServerCore}, load on core {plan.LoadCore}; {plan.Runs} runs"));
        for (int run = 0; run < plan.Runs; run++)
        {
            // Each on a server of its own: what thousands of connections leave behind shall not colour the rest.
            if (plan.Measures.Contains(HlsMeasure.Blocked)) MeasureBlocked(run);
            // Every other run goes backwards, so that a drift of the machine falls on all alike.
            foreach (int viewers in run % 2 == 0 ? plan.Viewers : plan.Viewers.Reverse())
            {
                if (plan.Measures.Contains(HlsMeasure.Steady)) MeasureSteady(run, viewers);
            }
        }

        return Conclude();
    }

    private void MeasureBlocked(int run)
    {
        using var server = plan.CreateServer();
        using var publisher = StartPublished(server);
        using var source = HlsSource.Open(server.HttpPort, ServerUnderTest.App, StreamName);
        source.WithSegment();
        var load = new WaitersPlan
        {
            Port = server.HttpPort,
            Path = source.PlaylistPath,
            Waiters = plan.Waiters,
            Parts = plan.Parts,
            WarmupParts = plan.WarmupParts,
            Ramp = plan.Ramp,
            Gzip = plan.Gzip,
            AsksTogether = plan.AsksTogether,
            Watch = server.ProcessId,
        };
        var r = Load<WaitersReport>(load.ToArguments());
        foreach (var fault in r.Invalid()) _faults.Add($"run {run + 1}, blocked: {fault}");
        CheckPublisher(run, publisher);
        _blocked.Add(r);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  run {run + 1}  blocked   {r.Waiters} waiters, {r.Parts.Count} parts: last answer p50 {r.LastAfterFirst(0.5):F1} p95 {r.LastAfterFirst(0.95):F1} max {r.LastAfterFirst(1):F1} ms after the first, "
            + $"p50 {r.LastAfterAlone(0.5):F1} p95 {r.LastAfterAlone(0.95):F1} max {r.LastAfterAlone(1):F1} ms after one alone; playlist {r.PlaylistBytes} B  server {r.ServerCpu / r.Seconds:P0}  load {r.OwnCpu / r.Seconds:P0}, {r.OwnShareOfRelease:P0} between first and last"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"         memory    {r.RssBeforeKb / 1024:F0} MB before, {r.RssIdleKb / 1024:F0} idle, {r.RssBlockedKb / 1024:F0} blocked, {r.RssLargestKb / 1024:F0} after parts; "
            + $"KB each: connection {r.ConnectionKb:F1} + wait {r.WaitKb:F1} = {r.WaiterKb:F1}; after parts {r.SteadyKb:F1}"));
    }

    private void MeasureSteady(int run, int viewers)
    {
        using var server = plan.CreateServer();
        using var publisher = StartPublished(server);
        using var source = HlsSource.Open(server.HttpPort, ServerUnderTest.App, StreamName);
        source.WithSegment();
        var load = new SteadyPlan
        {
            Port = server.HttpPort,
            Paths = plan.Sound ? source.Paths : [source.PlaylistPath],
            Viewers = viewers,
            IsSplit = plan.IsSplit,
            Skip = plan.Skip,
            Gzip = plan.SteadyGzip,
            Parts = plan.Parts,
            WarmupParts = plan.WarmupParts,
            Ramp = plan.Ramp,
            Watch = server.ProcessId,
            WatchCore = plan.ServerCore,
        };
        var r = Load<SteadyReport>(load.ToArguments());
        foreach (var fault in r.Invalid()) _faults.Add($"run {run + 1}, {viewers} viewers: {fault}");
        CheckPublisher(run, publisher);
        _steady.Add(r);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  run {run + 1}  steady    {r.Viewers} viewers, {r.Connections} connections: {r.Answers / r.Seconds:F0} answers/s  {r.Gbit / r.Seconds:F2} Gbit/s  {r.ServerCpu / r.Gbit:F4} CPU s/Gbit  "
            + $"server {r.ServerShare:P0}  load {r.OwnShare:P0}  {r.ViewerKb:F1} KB a viewer{(r.Noisy ? "  NOISY" : "")}"));
        foreach (var t in r.Renditions)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"         {t.Name.Split('_')[^3]}     parts of {t.PartBytes / 1000:F0} KB: whole p50 {t.Delivery.P50:F1} p95 {t.Delivery.P95:F1} p99 {t.Delivery.P99:F1} max {t.Delivery.Max:F1} ms (alone p50 {t.AloneDelivery.P50:F1}), "
                + $"after one alone p95 {t.AfterAlone.P95:F1}; load {t.OwnShare:P0} meanwhile; playlists of {t.PlaylistBytes} B p50 {t.Playlist.P50:F1} p95 {t.Playlist.P95:F1} max {t.Playlist.Max:F1}"));
        }
    }

    private ChildProcess StartPublished(MillraceServer server)
    {
        server.Start(plan.ServerCore);
        _configurations.Add("millrace", server);
        return Publisher.Start(plan.LoadCore, _clip.Path, server.RtmpPort, StreamName);
    }

    private T Load<T>(IEnumerable<string> arguments) => ChildProcess.Report<T>(plan.LoadCore, arguments);

    private void CheckPublisher(int run, ChildProcess publisher)
    {
        if (publisher.Exited) _faults.Add($"run {run + 1}: the publisher ended: {publisher.Errors}");
    }

    private int Conclude()
    {
        Console.WriteLine();
        var blocked = _blocked.Count > 0 ? BlockedResult.Of(_blocked, plan) : null;
        blocked?.Print();
        var steady = plan.Viewers.Select(v => _steady.Where(r => r.Viewers == v).ToList()).Where(static r => r.Count > 0).Select(r => SteadyResult.Of(r, plan)).ToList();
        foreach (var viewers in steady) viewers.Print();
        int noisy = _steady.Count(static r => r.Noisy);
        if (noisy > 0) Console.WriteLine($"NOISY: in {noisy} runs something else used the server's core; repeat on a quiet machine before the figure is believed");
        return Conclusion.Write("hls", plan.Keep, _configurations, _faults, blocked is { IsMissed: true } || steady.Exists(static r => r.IsMissed), machine => new
        {
            plan = plan with { Server = Target.Recorded(plan.Server) },
            machine,
            clipBitsPerSecond = _clip.BitsPerSecond,
            blocked,
            steady,
            faults = _faults,
            configurations = _configurations,
        });
    }
}
