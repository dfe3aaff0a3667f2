using System.Diagnostics;

namespace Millrace.Node.Metrics;

/// <summary>Cores that the process has used between two looks at it. Any thread.</summary>
internal sealed class NodeLoad
{
    private readonly Lock _gate = new();
    private TimeSpan _used = Environment.CpuUsage.TotalTime;
    private long _at = Stopwatch.GetTimestamp();

    /// <summary>Since the last call, or the start; 0 and up.</summary>
    public double Cores()
    {
        lock (_gate)
        {
            var used = Environment.CpuUsage.TotalTime;
            var elapsed = Stopwatch.GetElapsedTime(_at);
            var cores = elapsed > TimeSpan.Zero ? (used - _used) / elapsed : 0;
            (_used, _at) = (used, Stopwatch.GetTimestamp());
            return Math.Round(cores, 3);
        }
    }
}
