using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Millrace.Bench.Measure;
using Millrace.Bench.Rtmp;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Latency;

/// <summary>The runs of `latency`: the same pictures through a TCP relay and through the server, at the same time and half a picture apart.</summary>
internal sealed class LatencyRun(LatencyPlan plan)
{
    private const string StreamName = "latency";
    private const int HalfPictureMs = 16;
    private readonly Configurations _configurations = new();
    private readonly StampedClip _clip = StampedClip.Load(Publisher.ClipPath());

    public int Execute()
    {
        List<Outcome> runs = [];
        for (int run = 0; run < plan.Runs; run++)
        {
            var outcome = RunOnce();
            runs.Add(outcome);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  run {run + 1}  relay p50 {outcome.RelayP50:F3} p99 {outcome.RelayP99:F3} ms   {plan.Label} p50 {outcome.ServerP50:F3} p99 {outcome.ServerP99:F3} ms   "
                + $"added p50 {outcome.AddedP50:F3} p99 {outcome.AddedP99:F3} ms   ({outcome.Pictures} pictures)"));
            foreach (var level in outcome.Levels)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"         level {level.Number}  p50 {level.P50:F3} p99 {level.P99:F3} ms   added to the level above p50 {level.AddedP50:F3} p99 {level.AddedP99:F3} ms"));
        }

        var p50 = Summary.Of(runs.Select(static r => r.AddedP50));
        var p99 = Summary.Of(runs.Select(static r => r.AddedP99));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"added by {plan.Label}: p50 {p50.Median:F3} ms [{p50.Min:F3}..{p50.Max:F3}], p99 {p99.Median:F3} ms [{p99.Min:F3}..{p99.Max:F3}]"));
        var levels = LevelsOf(runs);
        foreach (var level in levels)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"added by level {level.Number}: p50 {level.AddedP50.Median:F3} ms [{level.AddedP50.Min:F3}..{level.AddedP50.Max:F3}], p99 {level.AddedP99.Median:F3} ms [{level.AddedP99.Min:F3}..{level.AddedP99.Max:F3}]"));
        _configurations.Print();
        var recorded = plan with { Server = Target.Recorded(plan.Server) };
        var file = ResultFile.Write("latency", plan.Keep, new { plan = recorded, machine = MachineFacts.Collect(), p50, p99, levels, runs, configurations = _configurations });
        Console.WriteLine($"written: {Path.GetRelativePath(Environment.CurrentDirectory, file)}");
        bool missed = p50.Median > plan.BarP50 || p99.Median > plan.BarP99 || levels.Exists(level => level.AddedP99.Median > plan.BarLevel);
        if (missed) Console.WriteLine("MISSED the bar");
        return missed ? 1 : 0;
    }

    private Outcome RunOnce()
    {
        using var server = Target.Create(plan.Server, plan.BasePort, plan.WindowMs);
        _configurations.Add(server.Label, server);
        server.Start(plan.ServerCore);
        using var edges = new EdgeChain();
        for (int level = 1, origin = server.RelayPort; level <= plan.Levels; level++)
        {
            var edge = Target.CreateEdge(plan.Server, plan.BasePort + (10 * level), plan.WindowMs, level, origin);
            edges.Add(new LevelUnderTest(edge, new TimedPath($"level {level}", _clip)));
            _configurations.Add($"level {level}", edge);
            edge.Start(plan.ServerCore);
            origin = edge.RelayPort;
        }

        using var relayPath = new TimedPath("relay", _clip);
        using var serverPath = new TimedPath(plan.Label, _clip);
        using var relay = OpenRelayPath(relayPath);
        Thread.Sleep(HalfPictureMs);
        OpenServerPath(serverPath, server.RtmpPort);
        foreach (var level in edges) OpenPlayer(level.Path, level.Server.RtmpPort);
        TimedPath[] paths = [relayPath, serverPath, .. edges.Select(static level => level.Path)];
        Wait(plan.Warmup, paths);
        foreach (var path in paths) path.StartCounting();
        Wait(plan.Seconds, paths);
        double[][] measured = new double[paths.Length][];
        // The publisher's goes after those of the edges: what it has sent is still to come to all of them.
        for (int i = paths.Length - 1; i >= 0; i--) measured[i] = paths[i].Finish();
        foreach (double[] way in measured)
            if (way.Length < measured[0].Length * 0.95) throw new InvalidOperationException($"{measured[0].Length - way.Length} of {measured[0].Length} pictures did not arrive");
        double[] p50 = [.. measured.Select(static way => Summary.Percentile(way, 0.5))], p99 = [.. measured.Select(static way => Summary.Percentile(way, 0.99))];
        return new Outcome(measured[1].Length, p50[0], p99[0], p50[1], p99[1])
        {
            Levels = [.. Enumerable.Range(2, plan.Levels).Select(at => new Level(at - 1, p50[at], p99[at], p50[at] - p50[at - 1], p99[at] - p99[at - 1]))],
        };
    }

    private static List<LevelSummary> LevelsOf(List<Outcome> runs) => [.. Enumerable.Range(0, runs[0].Levels.Count).Select(at => new LevelSummary(
        at + 1, Summary.Of(runs.Select(run => run.Levels[at].AddedP50)), Summary.Of(runs.Select(run => run.Levels[at].AddedP99))))];

    private ChildProcess OpenRelayPath(TimedPath path)
    {
        int relayPort = plan.BasePort + 6;
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, plan.BasePort + 7));
        listener.Listen();
        var relay = ChildProcess.StartSelf(plan.ServerCore, ["relay", "--listen", Text(relayPort), "--to", Text(plan.BasePort + 7)]);
        var sender = ConnectWhenReady(path, relayPort, relay);
        var receiver = listener.Accept();
        path.Own(receiver);

        var reader = new ChunkReader();
        path.StartReceiver(receiver, bytes =>
        {
            reader.Append(bytes);
            while (reader.TryRead(out var message)) path.OnMedia(message);
        });
        var output = new ArrayBufferWriter<byte>(1 << 18);
        var writer = new ChunkWriter();
        writer.WriteChunkSize(output, 65536);
        path.StartSender(sender, output, (type, time, payload) => writer.Write(output, type == MediaMessage.Audio ? 4 : 6, type, time, 1, payload));
        return relay;
    }

    private static void OpenServerPath(TimedPath path, int port)
    {
        var sender = path.Connect(port);
        var publisher = new RtmpClient(port, ServerUnderTest.App, StreamName, publish: true);
        TimedPath.Open(sender, publisher, () => publisher.Started);
        path.StartSender(sender, publisher.Output, (type, time, payload) => publisher.WriteMedia(type, time, payload));

        Thread.Sleep(500); // the stream exists before its player comes
        OpenPlayer(path, port);
    }

    private static void OpenPlayer(TimedPath path, int port)
    {
        var receiver = path.Connect(port);
        var player = new RtmpClient(port, ServerUnderTest.App, StreamName) { OnMedia = path.OnMedia };
        TimedPath.Open(receiver, player, () => player.Asked);
        long received = 0, acknowledged = 0;
        path.StartReceiver(receiver, bytes =>
        {
            player.Feed(bytes);
            received += bytes.Length;
            if (player.AckWindow > 0 && received - acknowledged >= player.AckWindow) player.WriteAcknowledgement(acknowledged = received);
            TimedPath.SendAll(receiver, player.Output);
        });
    }

    private static Socket ConnectWhenReady(TimedPath path, int port, ChildProcess relay)
    {
        for (int i = 0; i < 200 && !relay.Exited; i++)
        {
            try
            {
                return path.Connect(port);
            }
            catch (SocketException)
            {
                Thread.Sleep(50);
            }
        }

        throw new InvalidOperationException($"the relay did not start:\n{relay.Errors}");
    }

    private static void Wait(double seconds, TimedPath[] paths)
    {
        for (double t = 0; t < seconds; t += 0.1)
        {
            if (paths.Select(static path => path.Fault).FirstOrDefault(static fault => fault is not null) is { } fault) throw new InvalidOperationException(fault);
            Thread.Sleep(100);
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Percentiles in ms of the time from before the sender's send to after the receiver's parse.</summary>
    private sealed record Outcome(int Pictures, double RelayP50, double RelayP99, double ServerP50, double ServerP99)
    {
        public double AddedP50 => ServerP50 - RelayP50;
        public double AddedP99 => ServerP99 - RelayP99;

        public IReadOnlyList<Level> Levels { get; init; } = [];
    }

    /// <summary>An edge; Added to the node above, ms.</summary>
    private sealed record Level(int Number, double P50, double P99, double AddedP50, double AddedP99);

    private sealed record LevelSummary(int Number, Summary AddedP50, Summary AddedP99);

    private sealed record LevelUnderTest(MillraceServer Server, TimedPath Path);

    private sealed class EdgeChain : List<LevelUnderTest>, IDisposable
    {
        public void Dispose()
        {
            foreach (var (server, path) in this)
            {
                path.Dispose();
                server.Dispose();
            }
        }
    }
}
