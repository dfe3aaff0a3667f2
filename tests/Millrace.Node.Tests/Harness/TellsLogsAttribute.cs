using System.Collections.Concurrent;
using System.Reflection;
using Millrace.Node.Tests.Harness;
using Xunit.v3;

[assembly: TellsLogs]

namespace Millrace.Node.Tests.Harness;

/// <summary>A test that fails tells what its nodes have logged.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class TellsLogsAttribute : BeforeAfterTestAttribute
{
    /// <summary>Of each node.</summary>
    private const int Lines = 40;

    private static readonly ConcurrentDictionary<string, ConcurrentQueue<(string Node, LogLines Log)>> Logs = new();

    /// <summary>Of the test that is running.</summary>
    public static void Keep(string node, LogLines log)
    {
        if (TestContext.Current.Test is { } test)
            Logs.GetOrAdd(test.UniqueID, static _ => new()).Enqueue((node, log));
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (!Logs.TryRemove(test.UniqueID, out var logs) || TestContext.Current.TestState?.Result != TestResult.Failed)
            return;
        foreach (var (node, log) in logs)
            TestContext.Current.TestOutputHelper?.WriteLine($"{node}:\n{log.Tail(Lines)}");
    }
}
