using System.Globalization;
using Millrace.Bench.Load;
using Millrace.Bench.Measure;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Publish;

/// <summary>Runs the rounds of `publish` and says what came out.</summary>
internal sealed class PublishRun(PublishPlan plan)
{
    private const string Prefix = "s";

    // The server is asked what it has while the publishers go on.
    private const double LingerSeconds = 30;
    private readonly List<string> _faults = [];
    private readonly Configurations _configurations = new();
    private readonly string _clip = Publisher.ClipPath(plan.Kilobits);

    public int Execute()
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{plan.Publishers} publishers of {plan.Kilobits} kbit/s, {plan.ViewersPerStream} viewers each; chunks of {plan.Chunk}; "
            + $"server on core {plan.ServerCore}, load on core {plan.LoadCore}; window {plan.Seconds} s after {plan.Settle} s, {plan.Runs} rounds"));
        List<Pair> pairs = [];
        for (int round = 0; round < plan.Runs; round++)
        {
            // Every other round runs backwards, so that a drift of the machine falls on both sides alike.
            bool peerFirst = round % 2 == 0;
            var peer = peerFirst ? Measure(round, isPeer: true) : null;
            var ours = Measure(round, isPeer: false);
            pairs.Add(new Pair(peer ?? Measure(round, isPeer: true), ours));
        }

        return Conclude(pairs);
    }

    private PublishersReport Measure(int round, bool isPeer)
    {
        using ServerUnderTest server = isPeer ? new NginxRtmp(plan.BasePort)
            : plan.AgainstItself ? new NginxRtmp(plan.BasePort + 5)
            : Target.Create(plan.Server, plan.BasePort, Commands.FanoutPlan.DefaultWindowMs);
        string label = plan.AgainstItself && !isPeer ? "nginx-rtmp (again)" : server.Label;
        server.Start(plan.ServerCore);
        _configurations.Add(label, server);
        var publishers = new PublishersPlan
        {
            Port = server.RtmpPort,
            App = ServerUnderTest.App,
            Prefix = Prefix,
            Publishers = plan.Publishers,
            Clip = _clip,
            Chunk = plan.Chunk,
            PaceMs = plan.PaceMs,
            Ramp = plan.Ramp,
            Settle = plan.Settle,
            Seconds = plan.Seconds,
            Linger = LingerSeconds,
            Watch = server.ProcessId,
            WatchCore = plan.ServerCore,
        };
        using var fleet = FleetProcess.Start(plan.LoadCore, publishers);
        using var viewers = plan.ViewersPerStream > 0 ? StartViewers(server) : null;
        var report = fleet.Finish(publishers);
        foreach (var fault in report.Faults().Concat(LiveCheck.Faults(server, plan.Publishers, report.TotalBytes))) _faults.Add($"round {round + 1}, {label}: {fault}");
        if (viewers is { Exited: true }) _faults.Add($"round {round + 1}, {label}: the viewers ended: {viewers.Errors}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  round {round + 1}  {label,-20} {report.CpuPerGbit:F4} CPU s/Gbit  core {report.CoreBusy / report.Gbit:F4}  {report.Gbit / report.Seconds * 1000:F0} Mbit/s  "
            + $"server {report.ServerCpu / report.Seconds:P1}  {report.ServerCpu / report.Seconds / report.SendsPerSecond * 1e6:F1} us/send  load {report.OwnCpu / report.Seconds:P0}  "
            + $"late {report.WorstLatenessMs:F0} ms  RSS {report.ServerRssBeforeMb:F0} -> {report.ServerRssMb:F0} MB, {report.RssPerPublisherKb:F0} KB each{(report.Noisy ? "  NOISY" : "")}"));
        return report;
    }

    // They outlast the publishers' window; what they get is not judged, only that they stay.
    private ChildProcess StartViewers(ServerUnderTest server) => ChildProcess.StartSelf(plan.LoadCore, new PlayersPlan
    {
        Port = server.RtmpPort,
        App = ServerUnderTest.App,
        Name = Prefix,
        Streams = plan.Publishers,
        Viewers = plan.Publishers * plan.ViewersPerStream,
        Verify = 0,
        Seconds = plan.Settle + plan.Seconds + LingerSeconds,
    }.ToArguments());

    private int Conclude(List<Pair> pairs)
    {
        var peer = Summary.Of(pairs.Select(static p => p.Peer.CpuPerGbit));
        var ours = Summary.Of(pairs.Select(static p => p.Ours.CpuPerGbit));
        var ratio = Summary.Of(pairs.Select(static p => p.Ratio));
        var memory = Summary.Of(pairs.Select(static p => p.Ours.RssPerPublisherKb));
        var peerMemory = Summary.Of(pairs.Select(static p => p.Peer.RssPerPublisherKb));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\nmedian {ours.Median:F4} [{ours.Min:F4}..{ours.Max:F4}], nginx-rtmp {peer.Median:F4} [{peer.Min:F4}..{peer.Max:F4}] CPU s/Gbit received; "
            + $"memory {memory.Median:F0} KB a publisher, nginx-rtmp {peerMemory.Median:F0} KB"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  ratio per pair {string.Join(' ', pairs.Select(static p => p.Ratio.ToString("F3", CultureInfo.InvariantCulture)))}; "
            + $"median {ratio.Median:F3}, interval [{ratio.Low:F3}..{ratio.High:F3}] ({ratio.Coverage:P1})"));
        string? verdict = plan.Bar is { } bar ? ratio.Against(bar) : null;
        if (verdict is not null) Console.WriteLine($"  {verdict}");
        int noisy = pairs.Count(static p => p.Peer.Noisy || p.Ours.Noisy);
        if (noisy > 0) Console.WriteLine($"NOISY: in {noisy} pairs something else used the server's core; repeat on a quiet machine before the figure is believed");
        return Conclusion.Write("publish", plan.Keep, _configurations, _faults, verdict?.StartsWith("MISSED", StringComparison.Ordinal) == true, machine => new
        {
            plan = plan with { Server = Target.Recorded(plan.Server) },
            machine,
            ours,
            peer,
            ratio,
            memoryKb = memory,
            peerMemoryKb = peerMemory,
            verdict,
            runs = pairs,
            faults = _faults,
            configurations = _configurations,
        });
    }

    private sealed record Pair(PublishersReport Peer, PublishersReport Ours)
    {
        public double Ratio => Ours.CpuPerGbit / Peer.CpuPerGbit;
    }
}
