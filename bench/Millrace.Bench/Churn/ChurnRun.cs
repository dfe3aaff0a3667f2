using Millrace.Bench.Measure;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Churn;

/// <summary>The measures of `churn`, one after the other, and their one result file.</summary>
internal sealed class ChurnRun(ChurnPlan plan)
{
    public int Execute()
    {
        LeftBehind.Outcome? left = null;
        List<JoinsRun.Outcome> joins = [];
        foreach (var measure in plan.Measures)
        {
            if (measure == ChurnMeasure.Left) left = new LeftBehind(plan).Measure();
            else joins.Add(new JoinsRun(plan, measure).Measure());
        }

        var machine = MachineFacts.Collect();
        Console.WriteLine($"\n{machine}");
        var file = ResultFile.Write("churn", plan.Keep, new { plan = plan with { Server = Target.Recorded(plan.Server) }, machine, left, joins });
        Console.WriteLine($"written: {Path.GetRelativePath(Environment.CurrentDirectory, file)}");
        if (left is { Failures.Count: > 0 } || joins.Exists(static j => j.Faults.Count > 0)) return 2;
        return left is { Grew: true } || joins.Exists(static j => j.Missed) ? 1 : 0;
    }
}
