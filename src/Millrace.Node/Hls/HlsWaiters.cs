using Millrace.Node.Shards;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>
/// Requests that wait for a packager, or for its start: those on shards in a list for each shard, those on Kestrel as tasks, one for all who
/// wait for the same thing. The publisher's thread only says that there is something new; shards and a pool thread see to it.
/// </summary>
/// <param name="isMet">Whether something has happened; any thread.</param>
internal sealed class HlsWaiters(Func<HlsCondition, bool> isMet) : IHlsListener, IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private readonly Dictionary<HlsCondition, TaskCompletionSource> _tasks = [];
    private HlsWaitList?[] _lists = [];
    private int _hasTasks;
    private int _isScheduled;

    public static HlsWaiters Of(HlsPackager packager)
    {
        if (packager.Listener is HlsWaiters waiters)
            return waiters;
        lock (packager)
        {
            packager.Listener ??= new HlsWaiters(condition => condition.IsMet(packager.Snapshot));
            return (HlsWaiters)packager.Listener;
        }
    }

    /// <summary>The list of a shard's own requests.</summary>
    public HlsWaitList On(Shard shard)
    {
        var lists = Volatile.Read(ref _lists);
        if (shard.Number < lists.Length && lists[shard.Number] is { } known)
            return known;
        lock (_lock)
        {
            lists = new HlsWaitList?[Math.Max(_lists.Length, shard.Number + 1)];
            _lists.CopyTo(lists, 0);
            var list = lists[shard.Number] = new HlsWaitList(shard, isMet);
            Volatile.Write(ref _lists, lists);
            return list;
        }
    }

    /// <summary>Completes when the condition is met, also by the stream's end.</summary>
    public Task When(HlsCondition condition)
    {
        lock (_lock)
        {
            Volatile.Write(ref _hasTasks, 1);
            Interlocked.MemoryBarrier();
            // Looked at after that: what is published later sees that somebody waits.
            if (isMet(condition))
                return Task.CompletedTask;
            if (!_tasks.TryGetValue(condition, out var task))
                _tasks[condition] = task = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return task.Task;
        }
    }

    public void OnPublished()
    {
        foreach (var list in Volatile.Read(ref _lists))
            list?.OnPublished();
        if (Volatile.Read(ref _hasTasks) == 1 && Interlocked.Exchange(ref _isScheduled, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Execute()
    {
        Volatile.Write(ref _isScheduled, 0);
        List<TaskCompletionSource>? met = null;
        lock (_lock)
        {
            foreach (var (condition, task) in _tasks)
            {
                if (!isMet(condition))
                    continue;
                (met ??= []).Add(task);
                _tasks.Remove(condition);
            }

            if (_tasks.Count == 0)
                Volatile.Write(ref _hasTasks, 0);
        }

        foreach (var task in met ?? [])
            task.SetResult();
    }
}
