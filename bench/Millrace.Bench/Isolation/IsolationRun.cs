using System.Globalization;
using Millrace.Bench.Crowds;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Isolation;

/// <summary>The run of `isolation`: windows without and with slow viewers in turn, and what the others saw.</summary>
internal sealed class IsolationRun(IsolationPlan plan)
{
    private const double HalfSpeedTolerance = 0.15; // of the rate at which half-speed viewers are to read
    private readonly List<string> _faults = [];
    private readonly Configurations _configurations = new();

    public int Execute()
    {
        var clip = ClipIndex.Load(Publisher.ClipPath());
        using var server = Target.Create(plan.Server, plan.BasePort, plan.MergeMs);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{plan.Viewers} viewers of {clip.BitsPerSecond / 1e6:F2} Mbit/s by {plan.Protocol} from {server.Label}, B with {plan.Stalled} that never read and {plan.HalfSpeed} at half speed; "
            + $"server on core {plan.ServerCore}, load on core {plan.LoadCore}; window {plan.Seconds} s, {plan.Runs} pairs"));
        _configurations.Add(server.Label, server);
        server.Start(plan.ServerCore);
        var windows = CrowdLoad.Measure(plan.LoadCore, plan.Crowd(server, clip.Path));
        for (int i = 0; i < windows.Length; i++)
        {
            string label = $"pair {(i / 2) + 1} {(windows[i].Guests ? 'B' : 'A')}";
            Print(label, windows[i]);
            foreach (var fault in windows[i].Faults(clip.BitsPerSecond)) _faults.Add($"{label}: {fault}");
            if (windows[i].Guests) CheckGuests(label, windows[i].Visitors, clip.BitsPerSecond);
        }

        return Conclude([.. Enumerable.Range(0, plan.Runs).Select(i => new WindowPair(windows[2 * i], windows[(2 * i) + 1]))]);
    }

    private void CheckGuests(string label, GuestsReport guests, double bitsPerSecond)
    {
        double share = guests.HalfSpeedKbps * 2000 / bitsPerSecond;
        if (plan.HalfSpeed > 0 && Math.Abs(share - 1) > HalfSpeedTolerance) _faults.Add($"{label}: half-speed viewers read at {share / 2:P0} of the stream's rate");
        if (guests.Skips == 0 && plan.Stalled + plan.HalfSpeed > 0) _faults.Add($"{label}: the slow viewers were not slow: none skipped");
    }

    private static void Print(string label, CrowdWindow w)
    {
        var slow = w.Visitors;
        string guests = !w.Guests ? "" : string.Create(CultureInfo.InvariantCulture,
            $"  skips {slow.Skips}  lag {slow.MaxLagBytes / 1e6:F1} MB  half speed {slow.HalfSpeedKbps:F0} kbit/s, {slow.Jumps} jumps");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {label}  delivery p50 {w.Delivery.P50:F2} p99 {w.Delivery.P99:F2} max {w.Delivery.Max:F2} ms ({w.Delivery.Count} pictures)  {w.Gbit / w.Seconds:F2} Gbit/s  "
            + $"server {w.ServerShare:P1}  load {w.OwnShare:P0}  RSS {w.RssMb:F1} MB ({w.RssMb - w.RssBeforeMb:+0.0;-0.0}){guests}{(w.Noisy ? $"  NOISY, stolen {w.Stolen:P0}" : "")}"));
    }

    private int Conclude(List<WindowPair> pairs)
    {
        var alone = Summary.Of(pairs.Select(static p => p.Alone.Delivery.P99));
        var beside = Summary.Of(pairs.Select(static p => p.Beside.Delivery.P99));
        var share = Summary.Of(pairs.Select(static p => p.OfAllowance));
        var cpu = Summary.Of(pairs.Select(static p => p.Beside.ServerShare / p.Alone.ServerShare));
        var growth = Summary.Of(pairs.Select(static p => p.Beside.RssMb - p.Beside.RssBeforeMb));
        string verdict = share.Against(1);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"p99 alone {alone.Median:F2} ms [{alone.Min:F2}..{alone.Max:F2}], beside slow viewers {beside.Median:F2} ms [{beside.Min:F2}..{beside.Max:F2}]"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"p99 to {WindowPair.AllowedFactor} x p99 alone + {WindowPair.AllowedMs} ms: {share.Median:F2}, interval [{share.Low:F2}..{share.High:F2}] ({share.Coverage:P1}): {verdict}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"server's CPU beside to alone {cpu.Median:F2} [{cpu.Min:F2}..{cpu.Max:F2}], RSS {growth.Median:+0.0;-0.0} MB [{growth.Min:+0.0;-0.0}..{growth.Max:+0.0;-0.0}]"));
        if (pairs.Exists(static p => p.Alone.Noisy || p.Beside.Noisy)) Console.WriteLine(CrowdWindow.NoisyText);
        return Conclusion.Write("isolation", plan.Keep, _configurations, _faults, verdict.StartsWith("MISSED", StringComparison.Ordinal), machine => new
        {
            plan = plan with { Server = Target.Recorded(plan.Server) },
            machine,
            alone,
            beside,
            share,
            cpu,
            growth,
            verdict,
            pairs,
            faults = _faults,
            configurations = _configurations,
        });
    }
}
