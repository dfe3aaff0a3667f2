using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

internal enum HlsEvent
{
    /// <summary>There is something to play.</summary>
    Playable,

    /// <summary>A playlist lists the segment, or the part.</summary>
    Listed,

    /// <summary>The hinted part exists, or will never exist.</summary>
    Decided,
}

/// <summary>What a request waits for.</summary>
/// <param name="Event">What happens.</param>
/// <param name="Rendition">In which rendition.</param>
/// <param name="Segment">Media sequence number.</param>
/// <param name="Part">Number in the segment; -1: the whole segment.</param>
internal readonly record struct HlsCondition(HlsEvent Event, RenditionId Rendition, long Segment, long Part)
{
    public static HlsCondition Playable => new(HlsEvent.Playable, default, 0, 0);

    public bool IsMet(HlsSnapshot snapshot)
    {
        if (snapshot.IsEnded)
            return true;
        if (Event == HlsEvent.Playable)
            return snapshot.IsPlayable;
        if (snapshot.Find(Rendition) is not { } view)
            return false;
        if (Event == HlsEvent.Decided)
            return view.NextSegment > Segment || (view.NextSegment == Segment && view.OpenParts > Part);
        return Part < 0 ? view.HasSegment(Segment) : view.HasPart(Segment, Part);
    }
}

/// <summary>
/// Requests that wait for a packager. All who wait for the same thing share one task, which a pool thread completes: the
/// publisher's thread only says that there is something new.
/// </summary>
internal sealed class HlsWaiters(HlsPackager packager) : IHlsListener, IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private readonly Dictionary<HlsCondition, TaskCompletionSource> _waits = [];
    private int _isScheduled;

    public static HlsWaiters Of(HlsPackager packager)
    {
        if (packager.Listener is HlsWaiters waiters)
            return waiters;
        lock (packager)
        {
            packager.Listener ??= new HlsWaiters(packager);
            return (HlsWaiters)packager.Listener;
        }
    }

    /// <summary>Completes when the condition is met, also by the stream's end.</summary>
    public Task When(HlsCondition condition)
    {
        lock (_lock)
        {
            // Looked at inside the lock: what is published later finds the wait in the table.
            if (condition.IsMet(packager.Snapshot))
                return Task.CompletedTask;
            if (!_waits.TryGetValue(condition, out var wait))
                _waits[condition] = wait = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return wait.Task;
        }
    }

    public void OnPublished()
    {
        if (Interlocked.Exchange(ref _isScheduled, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Execute()
    {
        Volatile.Write(ref _isScheduled, 0);
        List<TaskCompletionSource>? met = null;
        lock (_lock)
        {
            var snapshot = packager.Snapshot;
            foreach (var (condition, wait) in _waits)
            {
                if (!condition.IsMet(snapshot))
                    continue;
                (met ??= []).Add(wait);
                _waits.Remove(condition);
            }
        }

        foreach (var wait in met ?? [])
            wait.SetResult();
    }
}
