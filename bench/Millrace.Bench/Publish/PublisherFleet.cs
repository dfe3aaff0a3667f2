using System.Diagnostics;
using Millrace.Bench.Measure;
using Millrace.Bench.Native;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Publish;

/// <summary>All publishers of one run on one thread: ramp up, settle, one measured window, and on for as long as they are wanted.</summary>
internal sealed class PublisherFleet(PublishersPlan plan, CancellationToken stop) : IDisposable
{
    private readonly EpollSet _epoll = new();
    private readonly byte[] _scratch = new byte[64 * 1024];
    private readonly List<LoopPublisher> _publishers = [];
    private readonly List<LoopPublisher> _sending = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private LoopClip? _clip;
    private double _lastPass;

    public int AcceptedCount => _publishers.Count(static p => p.Accepted);

    private double Now => _clock.Elapsed.TotalMilliseconds;

    /// <param name="accepted">Called when the last publisher has been accepted, or has had its time.</param>
    public PublishersReport Run(Action accepted)
    {
        double rssBefore = plan.Watch > 0 ? new ProcessProbe(plan.Watch).ResidentMegabytes() : 0;
        RampUp();
        accepted();
        PassFor(plan.Settle);

        foreach (var publisher in _publishers) publisher.WorstLatenessMs = 0;
        var before = TakeSample();
        PassFor(plan.Seconds > 0 ? plan.Seconds : double.PositiveInfinity);
        return Report(before, TakeSample(), rssBefore);
    }

    /// <summary>Goes on for <paramref name="seconds"/> more.</summary>
    public void PassFor(double seconds)
    {
        double end = Now + (seconds * 1000);
        while (Now < end && !stop.IsCancellationRequested) Pass();
    }

    public void Dispose()
    {
        foreach (var publisher in _publishers) publisher.Close();
        _epoll.Dispose();
    }

    private void RampUp()
    {
        double keyInterval = LoopClip.Load(plan.Clip, plan.Chunk, 1).KeyIntervalMs, start = Now;
        while (_publishers.Count < plan.Publishers && !stop.IsCancellationRequested)
        {
            int due = (int)((Now - start) / 1000 * plan.Ramp) + 1;
            while (_publishers.Count < Math.Min(due, plan.Publishers)) AddPublisher(keyInterval);
            Pass();
        }

        double limit = Now + (plan.StartTimeout * 1000);
        while (Now < limit && !stop.IsCancellationRequested && _publishers.Exists(static p => p.Alive && !p.Accepted)) Pass();
    }

    // Their time is spread over the interval between two key frames: encoders do not send them all at once.
    private void AddPublisher(double keyInterval)
    {
        int index = _publishers.Count;
        var client = new RtmpClient(plan.Port, plan.App, $"{plan.Prefix}{index}", publish: true, plan.Chunk);
        var publisher = new LoopPublisher(plan.Port, plan.FirstSource + index, client, keyInterval * index / plan.Publishers);
        _publishers.Add(publisher);
        _epoll.Add(publisher.Fd, index, EpollSet.Out);
    }

    private void Pass()
    {
        double wait = _lastPass + plan.PaceMs - Now;
        if (wait > 0.5) Thread.Sleep((int)Math.Ceiling(wait));
        _lastPass = Now;
        int count = _epoll.Wait(0);
        for (int i = 0; i < count; i++)
        {
            var publisher = _publishers[_epoll.Get(i).Tag];
            if (!publisher.Alive) continue;
            bool wasAccepted = publisher.Accepted;
            publisher.OnEvent(_epoll, _epoll.Get(i).Tag, _scratch);
            if (!wasAccepted && publisher.Accepted && publisher.Alive) Begin(publisher);
        }

        double now = Now;
        foreach (var publisher in _sending)
        {
            if (publisher.Alive) publisher.Send(now);
        }
    }

    private void Begin(LoopPublisher publisher)
    {
        // The bytes are shared, so the servers' message stream ids must be equal; every server begins with 1.
        _clip ??= LoopClip.Load(plan.Clip, plan.Chunk, publisher.MessageStream);
        publisher.Begin(_clip, Now);
        _sending.Add(publisher);
    }

    private PublishersReport Report(Sample before, Sample after, double rssBefore)
    {
        double seconds = after.Time - before.Time;
        return new PublishersReport
        {
            Publishers = plan.Publishers,
            Accepted = AcceptedCount,
            Dead = _publishers.Count(static p => !p.Alive),
            Reasons = _publishers.Where(static p => p.Reason is not null).CountBy(static p => p.Reason!).ToDictionary(),
            Seconds = seconds,
            Gbit = (after.Bytes - before.Bytes) * 8 / 1e9,
            DueGbit = _publishers.Sum(p => p.BytesDue(before.Time * 1000, after.Time * 1000)) * 8 / 1e9,
            SendsPerSecond = (after.Sends - before.Sends) / seconds,
            TotalBytes = after.Bytes,
            WorstLatenessMs = _publishers.Max(p => Math.Max(p.WorstLatenessMs, p.LatenessMs(after.Time * 1000))),
            ServerCpu = after.ServerCpu - before.ServerCpu,
            CoreBusy = after.CoreBusy - before.CoreBusy,
            ServerRssBeforeMb = rssBefore,
            ServerRssMb = after.ServerRss,
            OwnCpu = after.OwnCpu - before.OwnCpu,
        };
    }

    private Sample TakeSample()
    {
        var server = plan.Watch > 0 ? new ProcessProbe(plan.Watch) : null;
        return new Sample(
            _clock.Elapsed.TotalSeconds, _publishers.Sum(static p => p.Bytes), _publishers.Sum(static p => p.Sends), server?.CpuSeconds() ?? 0,
            plan.WatchCore >= 0 ? ProcessProbe.CoreBusySeconds(plan.WatchCore) : 0, server?.ResidentMegabytes() ?? 0,
            Environment.CpuUsage.TotalTime.TotalSeconds);
    }

    private sealed record Sample(double Time, long Bytes, long Sends, double ServerCpu, double CoreBusy, double ServerRss, double OwnCpu);
}
