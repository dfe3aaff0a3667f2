using System.Globalization;
using Millrace.Bench.Load;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Commands;

/// <summary>What `edges` compares; times in seconds unless the name says otherwise.</summary>
internal sealed record EdgesPlan
{
    public required int Edges { get; init; }
    public required int Runs { get; init; }
    public required int MergeMs { get; init; }
    public required double Warm { get; init; }
    public required double Settle { get; init; }
    public required double Seconds { get; init; }
    public required string Server { get; init; }
    public required int BasePort { get; init; }
    public required int ServerCore { get; init; }
    public required int LoadCore { get; init; }
    public double? Bar { get; init; }
    public string? Keep { get; init; }
}

/// <summary>Runs the rounds of `edges` and says what came out.</summary>
internal sealed class EdgesRun(EdgesPlan plan)
{
    private const string StreamName = "clip";
    private readonly List<string> _faults = [];

    public int Execute()
    {
        var clip = ClipIndex.Load(Publisher.ClipPath());
        using var server = Target.Create(plan.Server, plan.BasePort, plan.MergeMs);
        server.Start(plan.ServerCore);
        var configurations = new Configurations();
        configurations.Add("millrace", server);
        using var publisher = Publisher.Start(plan.LoadCore, clip.Path, server.RtmpPort, StreamName);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{plan.Edges} edges, and RTMP viewers, of {clip.BitsPerSecond / 1e6:F2} Mbit/s; merge {plan.MergeMs} ms, for edges a third more; {plan.Seconds} s each, {plan.Runs} pairs"));
        foreach (var protocol in new[] { Protocol.Rtmp, Protocol.Relay }) Play(server, clip, protocol, plan.Warm);
        List<Pair> pairs = [];
        for (int round = 0; round < plan.Runs; round++)
        {
            // Every other round runs backwards, so that a drift of the machine falls on both sides alike.
            var edgesFirst = round % 2 == 1;
            var edges = edgesFirst ? Measure(server, clip, Protocol.Relay, round) : null;
            var viewers = Measure(server, clip, Protocol.Rtmp, round);
            pairs.Add(new Pair(viewers, edges ?? Measure(server, clip, Protocol.Relay, round)));
        }

        if (publisher.Exited) _faults.Add($"the publisher ended: {publisher.Errors}");
        return Conclude(pairs, clip, configurations);
    }

    private PlayersReport Measure(ServerUnderTest server, ClipIndex clip, Protocol protocol, int round)
    {
        var report = Play(server, clip, protocol, plan.Settle);
        string label = $"round {round + 1}, {protocol}";
        foreach (var fault in report.Faults(clip.BitsPerSecond)) _faults.Add($"{label}: {fault}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {label,-16} {report.CpuPerGbit:F4} CPU s/Gbit  core {report.CoreBusy / report.Gbit:F4}  {report.GbitPerSecond:F2} Gbit/s{(report.Noisy ? "  NOISY" : "")}"));
        return report;
    }

    private PlayersReport Play(ServerUnderTest server, ClipIndex clip, Protocol protocol, double settle) => ChildProcess.Report<PlayersReport>(
        plan.LoadCore,
        new PlayersPlan
        {
            Port = protocol == Protocol.Relay ? server.RelayPort : server.RtmpPort,
            Protocol = protocol,
            App = ServerUnderTest.App,
            Name = StreamName,
            Verify = 0,
            Viewers = plan.Edges,
            Settle = settle,
            Seconds = plan.Seconds,
            Watch = server.ProcessId,
            WatchCore = plan.ServerCore,
            Clip = clip.Path,
        }.ToArguments());

    private int Conclude(List<Pair> pairs, ClipIndex clip, Configurations configurations)
    {
        var viewers = Summary.Of(pairs.Select(static pair => pair.Viewers.CpuPerGbit));
        var edges = Summary.Of(pairs.Select(static pair => pair.Edges.CpuPerGbit));
        var ratio = Summary.Of(pairs.Select(static pair => pair.Ratio));
        Console.WriteLine($"\nRTMP viewers {viewers.Text("F4")}, edges {edges.Text("F4")} CPU s/Gbit");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"ratio per pair {string.Join(' ', pairs.Select(static pair => pair.Ratio.ToString("F3", CultureInfo.InvariantCulture)))}; "
            + $"median {ratio.Median:F3}, interval [{ratio.Low:F3}..{ratio.High:F3}] ({ratio.Coverage:P1})"));
        string? verdict = plan.Bar is { } bar ? ratio.Against(bar) : null;
        if (verdict is not null) Console.WriteLine(verdict);
        bool missed = verdict?.StartsWith("MISSED", StringComparison.Ordinal) ?? false;
        return Conclusion.Write("edges", plan.Keep, configurations, _faults, missed, machine => new
        {
            plan = plan with { Server = Target.Recorded(plan.Server) },
            machine,
            clipBitsPerSecond = clip.BitsPerSecond,
            viewers,
            edges,
            ratio,
            verdict,
            runs = pairs,
            faults = _faults,
            configurations,
        });
    }

    private sealed record Pair(PlayersReport Viewers, PlayersReport Edges)
    {
        public double Ratio => Edges.CpuPerGbit / Viewers.CpuPerGbit;
    }
}
