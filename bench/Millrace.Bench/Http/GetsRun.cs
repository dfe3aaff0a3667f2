using Millrace.Bench.Hls;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Http;

/// <summary>Plain requests as fast as the answers come.</summary>
internal sealed class GetsRun(GetsPlan plan) : IDisposable
{
    private const int ConnectsPerSecond = 1000;
    private readonly GetterSet _set = new(plan.Port, keepsBodies: false);
    private readonly byte[] _request = GetterSet.Request(plan.Port, plan.Path);
    private long _answers;

    public GetsReport Run()
    {
        _set.Connect(plan.Connections, ConnectsPerSecond);
        foreach (var getter in _set.All) getter.Ask(_request);
        PassUntil(_set.Now + plan.Warmup);
        var before = Take();
        PassUntil(before.Time + plan.Seconds);
        var after = Take();
        return new GetsReport
        {
            Answers = after.Answers - before.Answers,
            BodyBytes = _set.All[0].BodyLength,
            Seconds = after.Time - before.Time,
            Gbit = (after.Bytes - before.Bytes) * 8 / 1e9,
            ServerCpu = after.ServerCpu - before.ServerCpu,
            CoreBusy = after.CoreBusy - before.CoreBusy,
            OwnCpu = after.OwnCpu - before.OwnCpu,
            Faults = _set.Faults,
        };
    }

    public void Dispose() => _set.Dispose();

    private void PassUntil(double time)
    {
        while (_set.Now < time)
        {
            _set.Pass(10, getter =>
            {
                _answers++;
                getter.Ask(_request);
            });
        }
    }

    private Sample Take() => new(
        _set.Now, _answers, _set.All.Sum(static g => g.Bytes), new ProcessProbe(plan.Watch).CpuSeconds(),
        plan.WatchCore >= 0 ? ProcessProbe.CoreBusySeconds(plan.WatchCore) : 0, Environment.CpuUsage.TotalTime.TotalSeconds);

    private sealed record Sample(double Time, long Answers, long Bytes, double ServerCpu, double CoreBusy, double OwnCpu);
}
