using Millrace.Bench.Measure;

namespace Millrace.Bench.Servers;

/// <summary>What stands below the figures of each run.</summary>
internal static class Conclusion
{
    /// <summary>Prints the configurations, the machine and the faults, and writes the result.</summary>
    /// <param name="kind">Name of the result that is not kept.</param>
    /// <param name="keep">Name of the one that is.</param>
    /// <param name="configurations">Of the servers.</param>
    /// <param name="faults">Why runs were invalid.</param>
    /// <param name="isMissed">A bar is.</param>
    /// <param name="result">What is written, on this machine.</param>
    /// <returns>The command's exit code.</returns>
    public static int Write(string kind, string? keep, Configurations configurations, IReadOnlyList<string> faults, bool isMissed, Func<MachineFacts, object> result)
    {
        configurations.Print();
        var machine = MachineFacts.Collect();
        Console.WriteLine($"\n{machine}");
        foreach (string fault in faults) Console.WriteLine($"INVALID {fault}");
        string file = ResultFile.Write(kind, keep, result(machine));
        Console.WriteLine($"written: {Path.GetRelativePath(Environment.CurrentDirectory, file)}");
        return faults.Count > 0 ? 2 : isMissed ? 1 : 0;
    }
}
