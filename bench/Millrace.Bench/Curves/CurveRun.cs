using System.Globalization;
using Millrace.Bench.Measure;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Curves;

/// <summary>`fanout --curve`: one load after the other, ours and the peer in turn; the peer up to where it no longer holds.</summary>
internal sealed class CurveRun(CurvePlan plan, Curve curve)
{
    private const string Peer = "nginx-rtmp";
    private readonly Stage _stage = new(plan);
    private readonly CurveRecord _record = new();

    public int Execute()
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"server on core {plan.ServerCore}, load on core {plan.LoadCore}; window {plan.Seconds} s, {plan.Runs} rounds, viewers read every {plan.PaceMs} ms"));
        List<string> table = [$"| {(curve == Curve.Viewers ? "viewers" : "streams x viewers each")} | server | CPU s/Gbit | of the core | ratio | Gbit/s | least viewer | |", "|---|---|---|---|---|---|---|---|"];
        bool peerHolds = true;
        foreach (var point in plan.Points)
        {
            var runs = Measure(point, peerHolds);
            if (runs.TryGetValue(Peer, out var peer)) peerHolds = peer.Count(static r => !r.Misses().Any()) * 2 > peer.Count;
            foreach (var (label, reports) in runs) table.Add(Row(point, label, reports, peer));
        }

        table.ForEach(Console.WriteLine);
        return _record.Conclude("fanout-" + curve.ToString().ToLowerInvariant(), plan, table);
    }

    private SortedDictionary<string, List<CurveReport>> Measure(LoadPoint point, bool withPeer)
    {
        SortedDictionary<string, List<CurveReport>> runs = new(StringComparer.Ordinal);
        List<int?> servers = [.. plan.WindowsMs.Select(static w => (int?)w)];
        if (withPeer) servers.Insert(0, null);
        for (int round = 0; round < plan.Runs; round++)
        {
            // Every other round runs backwards, so that a drift of the machine falls on both sides alike.
            foreach (int? window in round % 2 == 0 ? servers : servers.AsEnumerable().Reverse())
            {
                using ServerUnderTest server = plan.Create(window);
                string label = window is { } ms ? $"millrace {ms} ms" : Peer;
                var report = _stage.Run(server, point);
                _record.Add(label, server, report, $"round {round + 1}");
                if (!runs.TryGetValue(label, out var list)) runs[label] = list = [];
                list.Add(report);
            }
        }

        return runs;
    }

    private string Row(LoadPoint point, string label, List<CurveReport> reports, List<CurveReport>? peer)
    {
        string load = curve == Curve.Viewers ? $"{point.Viewers:N0}" : $"{point.Streams:N0} x {(double)point.Viewers / point.Streams:N0}";
        var cpu = Summary.Of(reports.Select(static r => r.CpuPerGbit));
        string ratio = "–";
        if (peer is not null && peer != reports)
        {
            var pairs = Summary.Of(reports.Zip(peer, static (ours, theirs) => ours.CpuPerGbit / theirs.CpuPerGbit));
            ratio = string.Create(CultureInfo.InvariantCulture, $"{pairs.Median:F2} [{pairs.Low:F2}–{pairs.High:F2}]");
        }

        string[] misses = [.. reports.SelectMany(static r => r.Misses()).Distinct(StringComparer.Ordinal).Take(2)];
        return string.Create(CultureInfo.InvariantCulture,
            $"| {load} | {label} | {cpu.Median:F3} [{cpu.Min:F3}–{cpu.Max:F3}] | {Median(reports, static r => r.ServerShare):P0} | {ratio} "
            + $"| {Median(reports, static r => r.GbitPerSecond):F2} | {Median(reports, static r => r.SlowestDelivered):P0} | {string.Join("; ", misses)} |");
    }

    private static double Median(List<CurveReport> reports, Func<CurveReport, double> of) => Summary.Of(reports.Select(of)).Median;
}
