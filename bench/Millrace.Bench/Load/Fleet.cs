using System.Diagnostics;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Memory;
using Millrace.Bench.Native;

namespace Millrace.Bench.Load;

/// <summary>All viewers of one run on one thread: ramp up, settle, then one measured window.</summary>
internal sealed class Fleet : IDisposable
{
    private readonly PlayersPlan _plan;
    private readonly EpollSet _epoll = new();
    private readonly byte[] _scratch = new byte[256 * 1024];
    private readonly List<Viewer> _viewers = [];
    private readonly List<StreamVerifier> _verifiers = [];
    private readonly ClipIndex? _clip;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private long _bytes;
    private double _lastPass;
    private double _lastBeat;
    private int _beats;

    public Fleet(PlayersPlan plan)
    {
        _plan = plan;
        _clip = plan.Clip is null ? null : ClipIndex.Load(plan.Clip, wholeTurns: plan.Streams > 0);
    }

    public PlayersReport Run()
    {
        var alone = _plan.Alone > 0 ? LookWithOne() : null;
        RampUp(_plan.Viewers);
        PassUntil(_clock.Elapsed.TotalSeconds + _plan.Settle);

        var before = Sample.Take(_plan, _clock, _bytes);
        foreach (var viewer in _viewers) viewer.BytesBefore = viewer.Bytes;
        long[] atStart = [.. _viewers.Select(static v => v.Bytes)];
        List<int> starved = [];
        var memory = alone is null ? null : new MemorySampler(_plan.Watch, _plan.Metrics);
        double end = before.Time + _plan.Seconds;
        for (double second = before.Time + 1; second < end + 0.5; second++)
        {
            PassUntil(Math.Min(second, end));
            starved.Add(CountStarved());
            memory?.Take();
        }

        var after = Sample.Take(_plan, _clock, _bytes);
        return Report(before, after, atStart, starved) with { AloneMemory = alone, Memory = memory?.Finish() };
    }

    public void Dispose()
    {
        foreach (var viewer in _viewers) viewer.Close();
        _epoll.Dispose();
    }

    private MemoryPhase LookWithOne()
    {
        // Asked before the samples too, so that what the first answer brings into memory is not taken for the viewers'.
        _ = MetricsPage.Read(_plan.Metrics);
        RampUp(1);
        var memory = new MemorySampler(_plan.Watch, _plan.Metrics);
        double start = _clock.Elapsed.TotalSeconds, half = _plan.Alone / 2;
        for (double second = half; second < _plan.Alone + 0.5; second++)
        {
            PassUntil(start + second);
            memory.Take();
        }

        return memory.Finish();
    }

    private void RampUp(int count)
    {
        double start = _clock.Elapsed.TotalSeconds;
        int before = _viewers.Count;
        while (_viewers.Count < count)
        {
            int due = before + (int)((_clock.Elapsed.TotalSeconds - start) * _plan.Ramp) + 1;
            while (_viewers.Count < Math.Min(due, count)) AddViewer();
            Pass();
        }

        double limit = _clock.Elapsed.TotalSeconds + _plan.StartTimeout;
        while (_clock.Elapsed.TotalSeconds < limit && _viewers.Exists(static v => v.Alive && !v.Started)) Pass();
    }

    private void AddViewer()
    {
        int index = _viewers.Count;
        var client = _plan.NewClient(_plan.First + index);
        bool verify = index < _plan.Verify;
        if (verify)
        {
            var verifier = new StreamVerifier(_clip);
            _verifiers.Add(verifier);
            client.OnMedia = verifier.OnMedia;
        }

        var viewer = new Viewer(_plan.Port, _plan.First + index, client, verify, segment: _plan.SegmentBytes);
        _viewers.Add(viewer);
        _epoll.Add(viewer.Fd, index, EpollSet.Out);
    }

    private void PassUntil(double time)
    {
        while (_clock.Elapsed.TotalSeconds < time) Pass();
    }

    private void Pass()
    {
        double wait = _lastPass + (_plan.PaceMs / 1000.0) - _clock.Elapsed.TotalSeconds;
        if (wait > 0.0005) Thread.Sleep((int)Math.Ceiling(wait * 1000));
        _lastPass = _clock.Elapsed.TotalSeconds;
        if (_plan.Protocol == Protocol.Relay) Beat();
        int count = _epoll.Wait(Math.Max(1, _plan.PaceMs));
        for (int i = 0; i < count; i++)
        {
            var (tag, events) = _epoll.Get(i);
            var viewer = _viewers[tag];
            if (viewer.Alive) _bytes += viewer.OnEvent(_epoll, tag, events, _scratch);
        }
    }

    /// <summary>Each is asked in good time whether it has a heartbeat to send, and not all are at once.</summary>
    private void Beat()
    {
        const double Interval = 0.025;
        var due = (int)Math.Min(_viewers.Count, (_lastPass - _lastBeat) / Interval * _viewers.Count);
        if (due == 0) return;
        _lastBeat = _lastPass;
        for (; due > 0; due--) _viewers[_beats++ % _viewers.Count].Beat();
    }

    private int CountStarved()
    {
        int starved = 0;
        foreach (var viewer in _viewers)
        {
            if (viewer.Alive && viewer.Bytes == viewer.BytesBefore) starved++;
            viewer.BytesBefore = viewer.Bytes;
        }

        return starved;
    }

    private PlayersReport Report(Sample before, Sample after, long[] atStart, List<int> starved)
    {
        double seconds = after.Time - before.Time;
        double[] kbps = [.. _viewers.Select((v, i) => (v.Bytes - atStart[i]) * 8 / 1000.0 / seconds).Order()];
        return new PlayersReport
        {
            Viewers = _plan.Viewers,
            Started = _viewers.Count(static v => v.Started),
            Dead = _viewers.Count(static v => !v.Alive),
            Reasons = _viewers.Where(static v => v.Reason is not null).CountBy(static v => v.Reason!).ToDictionary(),
            Starved = starved,
            Seconds = seconds,
            Gbit = (after.Bytes - before.Bytes) * 8 / 1e9,
            LoopbackGbit = (after.Loopback - before.Loopback) * 8 / 1e9,
            SlowestViewerKbps = kbps[0],
            FastestViewerKbps = kbps[^1],
            ServerCpu = after.ServerCpu - before.ServerCpu,
            CoreBusy = after.CoreBusy - before.CoreBusy,
            ServerRssMb = after.ServerRss,
            OwnCpu = after.OwnCpu - before.OwnCpu,
            Verified = [.. _verifiers.Select(static v => v.Result)],
        };
    }

    private sealed record Sample(double Time, long Bytes, long Loopback, double ServerCpu, double CoreBusy, double ServerRss, double OwnCpu)
    {
        public static Sample Take(PlayersPlan plan, Stopwatch clock, long bytes)
        {
            var server = plan.Watch > 0 ? new ProcessProbe(plan.Watch) : null;
            return new Sample(
                clock.Elapsed.TotalSeconds, bytes, ProcessProbe.LoopbackBytes(), server?.CpuSeconds() ?? 0,
                plan.WatchCore >= 0 ? ProcessProbe.CoreBusySeconds(plan.WatchCore) : 0,
                server?.ResidentMegabytes() ?? 0, Environment.CpuUsage.TotalTime.TotalSeconds);
        }
    }
}
