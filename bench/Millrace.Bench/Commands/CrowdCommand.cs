using System.CommandLine;
using Millrace.Bench.Crowds;

namespace Millrace.Bench.Commands;

/// <summary>`crowd`: the load generator of `isolation` and `churn`, in a process of its own.</summary>
internal static class CrowdCommand
{
    public static Command Create()
    {
        Argument<string> plan = new("plan") { Description = "The plan as JSON" };
        var command = new Command(CrowdLoad.Command, "The load generator of `isolation` and `churn` with its publisher; not for use by hand.") { plan };
        command.SetAction(parsed => CrowdLoad.Run(parsed.GetValue(plan)!));
        return command;
    }
}
