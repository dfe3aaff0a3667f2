using System.Globalization;
using System.Text.Json;
using Millrace.Bench.Load;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Commands;

/// <summary>Runs the rounds of `fanout` and says what came out.</summary>
internal sealed class FanoutRun(FanoutPlan plan)
{
    private const string StreamName = "clip";
    private readonly List<string> _faults = [];
    private readonly Configurations _configurations = new();
    private ClipIndex _clip = null!;

    public int Execute()
    {
        _clip = ClipIndex.Load(Publisher.ClipPath());
        var variants = plan.Variants();
        Dictionary<FanoutPlan.Variant, List<Pair>> pairs = variants.ToDictionary(static v => v, static _ => new List<Pair>());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{plan.Viewers} viewers of {_clip.BitsPerSecond / 1e6:F2} Mbit/s; server on core {plan.ServerCore}, load on core {plan.LoadCore}; "
            + $"window {plan.Seconds} s, {plan.Runs} rounds{(plan.SegmentBytes > 0 ? $"; segments of {plan.SegmentBytes} bytes" : "")}"));
        for (int round = 0; round < plan.Runs; round++)
        {
            // Every other round runs backwards, so that a drift of the machine falls on both sides alike.
            bool peerFirst = round % 2 == 0;
            var peer = peerFirst ? Measure(round, null) : null;
            var ours = (peerFirst ? variants : variants.Reverse()).Select(v => (Variant: v, Report: Measure(round, v))).ToList();
            peer ??= Measure(round, null);
            foreach (var (variant, report) in ours) pairs[variant].Add(new Pair(peer, report));
        }

        return Conclude(pairs);
    }

    private PlayersReport Measure(int round, FanoutPlan.Variant? variant)
    {
        string label = variant?.Label(plan) ?? "nginx-rtmp";
        using ServerUnderTest server = variant?.Create(plan) ?? new NginxRtmp(plan.BasePort);
        server.Start(plan.ServerCore);
        _configurations.Add(label, server);
        using var publisher = Publisher.Start(plan.LoadCore, _clip.Path, server.RtmpPort, StreamName);
        var protocol = variant?.Protocol ?? Protocol.Rtmp;
        var players = new PlayersPlan
        {
            Port = protocol switch { Protocol.Flv => server.HttpPort, Protocol.Relay => server.RelayPort, _ => server.RtmpPort },
            Protocol = protocol,
            App = ServerUnderTest.App,
            Name = StreamName,
            Verify = protocol == Protocol.Relay ? 0 : new PlayersPlan { Port = 0 }.Verify,
            Viewers = plan.Viewers,
            Ramp = plan.Ramp,
            Settle = plan.Settle,
            Seconds = plan.Seconds,
            PaceMs = plan.PaceMs,
            SegmentBytes = plan.SegmentBytes,
            Watch = server.ProcessId,
            WatchCore = plan.ServerCore,
            Clip = _clip.Path,
        };
        var report = ChildProcess.Report<PlayersReport>(plan.LoadCore, players.ToArguments());
        foreach (var fault in report.Faults(_clip.BitsPerSecond)) _faults.Add($"round {round + 1}, {label}: {fault}");
        if (publisher.Exited) _faults.Add($"round {round + 1}, {label}: the publisher ended: {publisher.Errors}");
        PrintRun(round, label, report);
        return report;
    }

    private static void PrintRun(int round, string label, PlayersReport r)
    {
        var verified = r.Verified;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  round {round + 1}  {label,-20} {r.CpuPerGbit:F4} CPU s/Gbit  core {r.CoreBusy / r.Gbit:F4}  {r.GbitPerSecond:F2} Gbit/s (lo {r.LoopbackGbit / r.Seconds:F2})  "
            + $"server {r.ServerCpu / r.Seconds:P0}  load {r.OwnCpu / r.Seconds:P0}  RSS {r.ServerRssMb:F0} MB  "
            + $"keys {verified.Sum(static v => v.KeyFrames)} gaps {verified.Sum(static v => v.Gaps)}{(r.Noisy ? "  NOISY" : "")}"));
    }

    private int Conclude(Dictionary<FanoutPlan.Variant, List<Pair>> pairs)
    {
        Console.WriteLine();
        bool missed = false;
        List<object> results = [];
        foreach (var (variant, list) in pairs)
        {
            var peer = Summary.Of(list.Select(static p => p.Peer.CpuPerGbit));
            var ours = Summary.Of(list.Select(static p => p.Ours.CpuPerGbit));
            var ratio = Summary.Of(list.Select(static p => p.Ratio));
            string label = variant.Label(plan);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{label}: median {ours.Median:F4} [{ours.Min:F4}..{ours.Max:F4}], nginx-rtmp {peer.Median:F4} [{peer.Min:F4}..{peer.Max:F4}] CPU s/Gbit"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  ratio per pair {string.Join(' ', list.Select(static p => p.Ratio.ToString("F3", CultureInfo.InvariantCulture)))}; "
                + $"median {ratio.Median:F3}, interval [{ratio.Low:F3}..{ratio.High:F3}] ({ratio.Coverage:P1})"));
            string? verdict = variant.Barred && plan.Bar is { } bar ? ratio.Against(bar) : null;
            if (verdict is not null) Console.WriteLine($"  {verdict}");
            missed |= verdict?.StartsWith("MISSED", StringComparison.Ordinal) ?? false;
            results.Add(new { label, variant.Protocol, variant.WindowMs, ours, peer, ratio, verdict, runs = list });
        }

        int noisy = pairs.Values.SelectMany(static l => l).Count(static p => p.Peer.Noisy || p.Ours.Noisy);
        if (noisy > 0) Console.WriteLine($"NOISY: in {noisy} pairs something else used the server's core; repeat on a quiet machine before the figure is believed");
        return Conclusion.Write("fanout", plan.Keep, _configurations, _faults, missed, machine => new
        {
            plan = plan with { Server = Target.Recorded(plan.Server) },
            machine,
            clipBitsPerSecond = _clip.BitsPerSecond,
            results,
            faults = _faults,
            configurations = _configurations,
        });
    }

    private sealed record Pair(PlayersReport Peer, PlayersReport Ours)
    {
        public double Ratio => Ours.CpuPerGbit / Peer.CpuPerGbit;
    }
}
