using System.Diagnostics;
using Millrace.Bench.Load;
using Millrace.Bench.Media;
using Millrace.Bench.Native;
using Millrace.Bench.Rtmp;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Churn;

/// <summary>Runs many short connections, some at a time: connect, play, disconnect.</summary>
internal sealed class CycleEngine(ChurnPlan plan, int rtmpPort, int httpPort, string liveName) : IDisposable
{
    private const double TimeoutSeconds = 10;
    private const double AbsentSeconds = 0.02; // a player of an absent stream may be left waiting: it gives up itself
    private readonly EpollSet _epoll = new();
    private readonly byte[] _scratch = new byte[256 * 1024];
    private readonly Slot?[] _slots = new Slot?[plan.Parallel];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _next;

    public int Done { get; private set; }

    /// <summary>Cycles that did not go as they should, by reason.</summary>
    public SortedDictionary<string, int> Failures { get; } = new(StringComparer.Ordinal);

    /// <summary>Runs until <paramref name="total"/> cycles are done; no connection is open after it.</summary>
    public void RunUntil(int total)
    {
        while (Done < total)
        {
            double now = _clock.Elapsed.TotalSeconds;
            for (int i = 0; i < _slots.Length; i++)
            {
                if (_slots[i] is { } slot && Finished(slot, now)) End(i, slot);
                if (_slots[i] is null && _next < total) Begin(i, now);
            }

            int count = _epoll.Wait(5);
            for (int i = 0; i < count; i++)
            {
                var (tag, events) = _epoll.Get(i);
                if (_slots[tag]?.Viewer is { Alive: true } viewer) viewer.OnEvent(_epoll, tag, events, _scratch);
            }
        }
    }

    public void Dispose()
    {
        foreach (var slot in _slots) slot?.Viewer.Close();
        _epoll.Dispose();
    }

    private void Begin(int index, double now)
    {
        var kind = plan.Kinds[_next % plan.Kinds.Length];
        string name = kind is CycleKind.Play or CycleKind.Flv ? liveName : $"cycle-{_next}";
        bool flv = kind is CycleKind.Flv or CycleKind.FlvAbsent;
        int port = flv ? httpPort : rtmpPort;
        MediaClient client = flv ? new HttpFlvClient(port, ServerUnderTest.App, name) : new RtmpClient(port, ServerUnderTest.App, name);
        var slot = new Slot(kind, new Viewer(port, _next++, client, parseAlways: false), now);
        _slots[index] = slot;
        _epoll.Add(slot.Viewer.Fd, index, EpollSet.Out);
    }

    private static bool Finished(Slot slot, double now)
    {
        if (!slot.Viewer.Alive || slot.Viewer.Started || now - slot.Since > TimeoutSeconds) return true;
        if (slot.Kind != CycleKind.Absent || !slot.Viewer.Asked) return false;
        slot.AskedAt ??= now;
        return now - slot.AskedAt > AbsentSeconds;
    }

    private void End(int index, Slot slot)
    {
        var viewer = slot.Viewer;
        string? failure = slot.Kind switch
        {
            CycleKind.Play or CycleKind.Flv when !viewer.Started => viewer.Reason ?? "timeout",
            CycleKind.Absent when !viewer.Asked => viewer.Reason ?? "timeout",
            CycleKind.FlvAbsent when viewer.Reason?.StartsWith("refused: HTTP/1.1 404", StringComparison.Ordinal) != true => viewer.Reason ?? "no 404",
            _ => null,
        };
        if (failure is not null) Failures[$"{slot.Kind}: {failure}"] = Failures.GetValueOrDefault($"{slot.Kind}: {failure}") + 1;
        viewer.Close();
        _slots[index] = null;
        Done++;
    }

    private sealed class Slot(CycleKind kind, Viewer viewer, double since)
    {
        public CycleKind Kind => kind;
        public Viewer Viewer => viewer;
        public double Since => since;
        public double? AskedAt { get; set; }
    }
}
