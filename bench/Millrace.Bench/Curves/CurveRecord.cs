using System.Globalization;
using Millrace.Bench.Measure;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Curves;

/// <summary>All runs of a curve or a knee as they are printed and kept.</summary>
internal sealed class CurveRecord
{
    private readonly List<object> _runs = [];
    private readonly List<string> _faults = [];
    private readonly Configurations _configurations = new();

    public void Add(string label, ServerUnderTest server, CurveReport report, string when)
    {
        _configurations.Add(label, server);
        string[] misses = [.. report.Misses()];
        _runs.Add(new { label, when, report, misses });
        string load = $"{report.Point.Streams} streams, {report.Point.Viewers} viewers";
        foreach (var fault in report.Faults()) _faults.Add($"{load}, {label}, {when}: {fault}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {when}  {load}  {label,-16} {report.CpuPerGbit:F3} CPU s/Gbit  server {report.ServerShare:P0}  load {report.LoadShare:P0}  {report.GbitPerSecond:F2} Gbit/s  "
            + $"delivered {report.Delivered:P1} least {report.SlowestDelivered:P1}  publishers late {report.Publishers.WorstLatenessMs:F0} ms  windows x {report.WindowFactor:F2}  "
            + $"late passes {report.LatePasses}  RSS {report.Players[0].ServerRssMb:F0} MB{(report.Noisy ? "  NOISY" : "")}  {(report.IsHeldInWindow ? "held" : report.IsHeld ? "held with wider windows" : string.Join("; ", misses))}"));
    }

    /// <summary>Prints what belongs to the figures, writes them, and returns the exit code.</summary>
    /// <param name="kind">Names the file.</param>
    /// <param name="plan">What was asked for.</param>
    /// <param name="table">The figures as printed.</param>
    /// <param name="knees">What came out of the tries of each step; null for a curve.</param>
    public int Conclude(string kind, CurvePlan plan, List<string> table, IReadOnlyList<KneeStep>? knees = null)
    {
        return Conclusion.Write(kind, plan.Keep, _configurations, _faults, isMissed: false, machine => new
        {
            plan = plan with { Server = Target.Recorded(plan.Server) },
            machine,
            table,
            knees,
            runs = _runs,
            faults = _faults,
            configurations = _configurations,
        });
    }
}
