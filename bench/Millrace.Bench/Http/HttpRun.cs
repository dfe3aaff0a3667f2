using System.Globalization;
using Millrace.Bench.Hls;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Http;

/// <summary>Runs the rounds of `http` and says what came out.</summary>
internal sealed class HttpRun(HttpPlan plan)
{
    private const string StreamName = "clip";
    private const double BaselineSeconds = 3;
    private const double Tolerance = 0.25; // of a length that was asked for
    private readonly ClipIndex _clip = ClipIndex.Load(Publisher.ClipPath());
    private readonly List<string> _faults = [];
    private readonly List<Pair> _pairs = [];
    private readonly List<double> _baselines = [];
    private readonly Configurations _configurations = new();

    public int Execute()
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{_clip.BitsPerSecond / 1e6:F2} Mbit/s in parts of {plan.PartMs} ms, segments of {plan.SegmentMs} ms; {plan.Connections} connections; "
            + $"server on core {plan.ServerCore}, load on core {plan.LoadCore}; {plan.Runs} runs"));
        for (int run = 0; run < plan.Runs; run++) MeasurePairs(run);
        return Conclude();
    }

    private void MeasurePairs(int run)
    {
        using var server = plan.CreateServer();
        using var nginx = new NginxFiles(plan.BasePort + 5);
        server.Start(plan.ServerCore);
        _configurations.Add("millrace", server);
        using var publisher = Publisher.Start(plan.LoadCore, _clip.Path, server.RtmpPort, StreamName);
        nginx.Start(plan.ServerCore);
        _configurations.Add(nginx.Label, nginx);
        using var source = HlsSource.Open(server.HttpPort, ServerUnderTest.App, StreamName);
        source.WithSegment();
        MeasureBaseline(server);
        foreach (var measure in plan.Measures)
        {
            var (path, bytes) = Choose(source, measure);
            CheckLength(run, measure, bytes.Length);
            string peerPath = nginx.Put(Path.GetFileName(path), bytes);
            // Every other run goes backwards, so that a drift of the machine falls on both sides alike.
            bool peerFirst = run % 2 == 0;
            var peer = peerFirst ? Get(run, measure, nginx, peerPath) : null;
            var ours = Get(run, measure, server, path);
            peer ??= Get(run, measure, nginx, peerPath);
            _pairs.Add(new Pair(measure, peer, ours));
        }

        if (publisher.Exited) _faults.Add($"run {run + 1}: the publisher ended: {publisher.Errors}");
    }

    /// <summary>The newest of its kind, which stay for long enough; the same bytes on both sides.</summary>
    private (string Path, byte[] Bytes) Choose(HlsSource source, HttpMeasure measure) => measure switch
    {
        HttpMeasure.Part => source.Nearest(static list => list.Parts.Where(p => p.Segment >= list.NextSegment - 1).Select(static p => p.Uri), plan.PartBytes, Tolerance),
        HttpMeasure.Segment => source.Nearest(static list => list.Segments.TakeLast(2), plan.SegmentBytes, Tolerance),
        _ => (source.PlaylistPath, source.Get(source.PlaylistPath)),
    };

    private void CheckLength(int run, HttpMeasure measure, int length)
    {
        if (measure == HttpMeasure.Playlist) return;
        int wanted = measure == HttpMeasure.Part ? plan.PartBytes : plan.SegmentBytes;
        if (Math.Abs(length - wanted) > wanted * Tolerance) _faults.Add($"run {run + 1}, {measure}: {length} bytes, not the {wanted} asked for: other --part-ms or --segment-ms");
    }

    private GetsReport Get(int run, HttpMeasure measure, ServerUnderTest server, string path)
    {
        var load = new GetsPlan
        {
            Port = server.HttpPort,
            Path = path,
            Connections = plan.Connections,
            Warmup = plan.Warmup,
            Seconds = plan.Seconds,
            Watch = server.ProcessId,
            WatchCore = plan.ServerCore,
        };
        var r = ChildProcess.Report<GetsReport>(plan.LoadCore, load.ToArguments());
        string label = server is NginxFiles ? server.Label : "millrace";
        foreach (var fault in r.Invalid()) _faults.Add($"run {run + 1}, {measure}, {label}: {fault}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  run {run + 1}  {measure,-8}  {label,-12} {r.BodyBytes,8} B  {r.PerSecond,8:F0}/s  {r.Gbit / r.Seconds:F2} Gbit/s  {r.CpuPerGbit:F4} CPU s/Gbit  {r.CpuMicrosPerAnswer:F1} CPU us each  "
            + $"server {r.ServerCpu / r.Seconds:P0}  load {r.OwnCpu / r.Seconds:P0}{(r.GeneratorBound ? "  LOAD-BOUND" : "")}{(r.Noisy ? "  NOISY" : "")}"));
        return r;
    }

    /// <summary>What the server spends on the stream itself, so that one can tell how much of a figure it is.</summary>
    private void MeasureBaseline(ServerUnderTest server)
    {
        var probe = new ProcessProbe(server.ProcessId);
        double before = probe.CpuSeconds();
        Thread.Sleep(TimeSpan.FromSeconds(BaselineSeconds));
        _baselines.Add((probe.CpuSeconds() - before) / BaselineSeconds);
    }

    private int Conclude()
    {
        Console.WriteLine();
        var pairs = plan.Measures.Select(m => PairResult.Of(m, [.. _pairs.Where(p => p.Measure == m)], plan)).ToList();
        foreach (var pair in pairs) pair.Print();
        var baseline = Summary.Of(_baselines);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"taking in and packaging the stream: {baseline.Median:P1} of the core, contained in millrace's figures"));
        int noisy = _pairs.Count(static p => p.Peer.Noisy || p.Ours.Noisy);
        if (noisy > 0) Console.WriteLine($"NOISY: in {noisy} runs something else used the server's core; repeat on a quiet machine before the figure is believed");
        return Conclusion.Write("http", plan.Keep, _configurations, _faults, pairs.Exists(static p => p.IsMissed), machine => new
        {
            plan = plan with { Server = Target.Recorded(plan.Server) },
            machine,
            clipBitsPerSecond = _clip.BitsPerSecond,
            pairs,
            baseline,
            faults = _faults,
            configurations = _configurations,
        });
    }

    internal sealed record Pair(HttpMeasure Measure, GetsReport Peer, GetsReport Ours);
}
