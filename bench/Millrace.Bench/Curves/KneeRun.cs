using System.Globalization;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Curves;

/// <summary>
/// `fanout --knee`: ever more load until somebody is lost or skipped, and then the largest: what is beyond the knee. Two loads are
/// asked for: the largest within the configured window, and the largest that is held at all, with windows as wide as they become.
/// </summary>
internal sealed class KneeRun(CurvePlan plan, Knee knee)
{
    private readonly Stage _stage = new(plan);
    private readonly CurveRecord _record = new();
    private readonly List<KneeStep> _steps = [];
    private readonly List<string> _table =
    [
        "| streams | viewers | server | held | CPU s/Gbit | of the core | Gbit/s | least viewer | windows x | skips | died | publishers late |", "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ];

    public int Execute()
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"server on core {plan.ServerCore}, load on core {plan.LoadCore}; window {plan.Seconds} s, {plan.Runs} tries, viewers read every {plan.PaceMs} ms"));
        foreach (int window in plan.WindowsMs)
        {
            List<KneeStep> steps = [];
            foreach (var point in plan.Points)
            {
                bool isBeyond = steps.Exists(static s => !s.IsHeld);
                if (!isBeyond || point == plan.Points[^1]) steps.Add(Try(window, point));
            }

            _steps.AddRange(steps);
            _table.AddRange(steps.Select(s => $"{Load(s.Point)} at {window} ms: held in {s.Held} of {s.Tries} tries, in {s.HeldInWindow} of them without wider windows."));
            _table.Add($"Knee at {window} ms, windows as configured: {Largest(steps, static s => s.IsHeldInWindow)}");
            _table.Add($"Knee at {window} ms, nobody lost or skipped: {Largest(steps, static s => s.IsHeld)}");
        }

        _table.ForEach(Console.WriteLine);
        return _record.Conclude("fanout-knee-" + knee.ToString().ToLowerInvariant(), plan, _table, _steps);
    }

    private KneeStep Try(int window, LoadPoint point)
    {
        int held = 0, inWindow = 0;
        for (int run = 0; run < plan.Runs; run++)
        {
            using ServerUnderTest server = plan.Create(window);
            string label = server is MillraceServer ? $"millrace {window} ms" : server.Label;
            var report = _stage.Run(server, point);
            _record.Add(label, server, report, $"try {run + 1}");
            if (report.IsHeld) held++;
            if (report.IsHeldInWindow) inWindow++;
            _table.Add(string.Create(CultureInfo.InvariantCulture,
                $"| {point.Streams:N0} | {point.Viewers:N0} | {label} | {(report.IsHeld ? "yes" : "no")} | {report.CpuPerGbit:F3} | {report.ServerShare:P0} | {report.GbitPerSecond:F2} "
                + $"| {report.SlowestDelivered:P0} | {report.WindowFactor:F2} | {report.Skips} | {report.Dead} | {report.Publishers.WorstLatenessMs:F0} ms |"));
        }

        return new KneeStep(window, point, plan.Runs, inWindow, held);
    }

    /// <summary>The last step before the first that is not held.</summary>
    private static string Largest(List<KneeStep> steps, Func<KneeStep, bool> holds)
    {
        var held = steps.TakeWhile(holds).LastOrDefault();
        return held is null ? "no step was held." : Load(held.Point) + (held == steps[^1] ? " or more: the largest step was held." : ".");
    }

    private static string Load(LoadPoint point) => string.Create(CultureInfo.InvariantCulture, $"{point.Streams:N0} streams, {point.Viewers:N0} viewers");
}
