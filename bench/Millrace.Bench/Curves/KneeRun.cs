using System.Globalization;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Curves;

/// <summary>
/// `fanout --knee`: ever more load until it is no longer held, and then the largest: what is beyond the knee. A step that does not
/// hold is tried again, since a machine that is not quiet fails steps that it could hold.
/// </summary>
internal sealed class KneeRun(CurvePlan plan, Knee knee)
{
    private readonly Stage _stage = new(plan);
    private readonly CurveRecord _record = new();

    public int Execute()
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"server on core {plan.ServerCore}, load on core {plan.LoadCore}; window {plan.Seconds} s, viewers read every {plan.PaceMs} ms"));
        List<string> table =
        [
            "| streams | viewers | server | held | CPU s/Gbit | of the core | Gbit/s | least viewer | windows x | skips | died | publishers late |", "|---|---|---|---|---|---|---|---|---|---|---|---|",
        ];
        foreach (int window in plan.WindowsMs)
        {
            LoadPoint? held = null;
            bool isBeyond = false;
            foreach (var point in plan.Points)
            {
                if (isBeyond && point != plan.Points[^1]) continue;
                bool holds = Try(window, point, table);
                if (holds && !isBeyond) held = point;
                isBeyond |= !holds;
            }

            table.Add(held is null
                ? $"No step was held at {window} ms."
                : string.Create(CultureInfo.InvariantCulture, $"Knee at {window} ms: {held.Streams:N0} streams, {held.Viewers:N0} viewers{(isBeyond ? "" : " or more: the largest step was held")}."));
        }

        table.ForEach(Console.WriteLine);
        return _record.Conclude("fanout-knee-" + knee.ToString().ToLowerInvariant(), plan, table);
    }

    private bool Try(int window, LoadPoint point, List<string> table)
    {
        for (int run = 0; run < plan.Runs; run++)
        {
            using ServerUnderTest server = plan.Create(window);
            string label = server is MillraceServer ? $"millrace {window} ms" : server.Label;
            var report = _stage.Run(server, point);
            _record.Add(label, server.Configuration, report, $"try {run + 1}");
            bool holds = !report.Misses().Any();
            table.Add(string.Create(CultureInfo.InvariantCulture,
                $"| {point.Streams:N0} | {point.Viewers:N0} | {label} | {(holds ? "yes" : "no")} | {report.CpuPerGbit:F3} | {report.ServerShare:P0} | {report.GbitPerSecond:F2} "
                + $"| {report.SlowestDelivered:P0} | {report.WindowFactor:F2} | {report.Skips} | {report.Dead} | {report.Publishers.WorstLatenessMs:F0} ms |"));
            if (holds) return true;
        }

        return false;
    }
}
