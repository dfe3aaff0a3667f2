using System.Diagnostics;

namespace Millrace.Node.Metrics;

/// <summary>Cores that the process uses, over a second and more. Any thread.</summary>
internal sealed class NodeLoad
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private TimeSpan _used = Environment.CpuUsage.TotalTime;
    private long _at = Stopwatch.GetTimestamp();
    private double? _cores;

    /// <summary>Since it was asked for last, if that is not too short a time; 0 and up.</summary>
    public double Cores()
    {
        lock (_gate)
        {
            var elapsed = Stopwatch.GetElapsedTime(_at);
            if (_cores is { } cores && elapsed < Shortest)
                return cores;
            var used = Environment.CpuUsage.TotalTime;
            cores = elapsed > TimeSpan.Zero ? Math.Round((used - _used) / elapsed, 3) : 0;
            (_used, _at, _cores) = (used, Stopwatch.GetTimestamp(), cores);
            return cores;
        }
    }
}
