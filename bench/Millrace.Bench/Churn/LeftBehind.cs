using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Bench.Measure;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Churn;

/// <summary>What is left in the server after many viewers have come and gone.</summary>
internal sealed class LeftBehind(ChurnPlan plan)
{
    private const string LiveName = "clip";
    private const int AllowedDescriptors = 8;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3); // lets the server see the last disconnects
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private readonly Configurations _configurations = new();

    public Outcome Measure()
    {
        using var server = Target.Create(plan.Server, plan.BasePort, plan.MergeMs);
        _configurations.Add(server.Label, server);
        server.Start(core: -1);
        using var publisher = Publisher.Start(core: -1, Publisher.ClipPath(), server.RtmpPort, LiveName);
        var kinds = server.HttpPort > 0 ? plan.Kinds : [.. plan.Kinds.Where(static k => k is CycleKind.Play or CycleKind.Absent)];
        using var engine = new CycleEngine(plan with { Kinds = kinds }, server.RtmpPort, server.HttpPort, LiveName);
        Console.WriteLine($"{plan.Count} cycles of {string.Join(", ", kinds)}, {plan.Parallel} at a time, against {server.Label}");
        List<Sample> samples = [Take(server, 0)];
        while (engine.Done < plan.Count)
        {
            engine.RunUntil(Math.Min(plan.Count, engine.Done + plan.SampleEvery));
            samples.Add(Take(server, engine.Done));
        }

        return Conclude(engine, samples);
    }

    private Outcome Conclude(CycleEngine engine, List<Sample> samples)
    {
        Sample first = samples[Math.Min(1, samples.Count - 1)], last = samples[^1];
        double growth = last.RssMb - first.RssMb;
        int descriptors = last.Descriptors - first.Descriptors;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"from {first.Cycles} to {last.Cycles} cycles: RSS {growth:+0.0;-0.0} MB (allowed {plan.AllowedMb}), "
            + $"descriptors {descriptors:+0;-0;0}, managed heap {last.HeapMb - first.HeapMb:+0.0;-0.0;0.0} MB"));
        foreach (var (reason, count) in engine.Failures) Console.WriteLine($"FAILED {count}x {reason}");
        bool grew = growth > plan.AllowedMb || descriptors > AllowedDescriptors;
        if (grew) Console.WriteLine("MISSED: it grows");
        _configurations.Print();
        return new Outcome(growth, descriptors, grew, engine.Failures, samples, _configurations);
    }

    private Sample Take(ServerUnderTest server, int cycles)
    {
        Thread.Sleep(Rest);
        var probe = new ProcessProbe(server.ProcessId);
        if (!probe.Alive) throw new InvalidOperationException($"the server has ended:\n{server.Errors}");
        var sample = new Sample(cycles, probe.ResidentMegabytes(), probe.Descriptors(), HeapMegabytes(server.Metrics));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {sample.Cycles,8} cycles  RSS {sample.RssMb:F1} MB  descriptors {sample.Descriptors}  managed heap {sample.HeapMb:F1} MB"));
        return sample;
    }

    private double HeapMegabytes(Uri? metrics)
    {
        if (metrics is null) return double.NaN;
        try
        {
            string text = Http.GetStringAsync(metrics).GetAwaiter().GetResult();
            var rows = text.Split('\n').Where(l => !l.StartsWith('#') && Regex.IsMatch(l.Split('{', ' ')[0], plan.HeapMetric, RegexOptions.None, TimeSpan.FromSeconds(1))).ToList();
            string? name = rows.FirstOrDefault()?.Split('{', ' ')[0];
            return name is null ? double.NaN : rows.Where(l => string.Equals(l.Split('{', ' ')[0], name, StringComparison.Ordinal)).Sum(Value) / 1e6;
        }
        catch (HttpRequestException)
        {
            return double.NaN; // a server without metrics
        }
    }

    private static double Value(string row) => double.Parse(row[(row.IndexOf('}') + 1)..].Trim().Split(' ')[^1], CultureInfo.InvariantCulture);

    /// <summary>What grew from the first sample to the last; <c>Failures</c>: cycles that did not go as they should, by reason.</summary>
    internal sealed record Outcome(
        double GrowthMb, int Descriptors, bool Grew, IReadOnlyDictionary<string, int> Failures, IReadOnlyList<Sample> Samples, Configurations Configurations);

    internal sealed record Sample(int Cycles, double RssMb, int Descriptors, double HeapMb);
}
