namespace Millrace.Conformance.Tests.Origin;

/// <summary>
/// A clock that jumps: all continuations run on the caller's thread, and when none is left the time becomes that of the next timer. A
/// crawl of a minute takes as long as its work does, and two crawls of the same origin are the same.
/// </summary>
internal sealed class VirtualTime : TimeProvider
{
    private readonly PriorityQueue<VirtualTimer, (long Due, long Order)> _timers = new();
    private readonly Pump _pump = new();
    private long _now;
    private long _order;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public TimeSpan Now => new(_now);

    public override long GetTimestamp() => _now;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        period.ShouldBe(Timeout.InfiniteTimeSpan);
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public T Run<T>(Func<Task<T>> work)
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_pump);
        try
        {
            var task = work();
            while (!task.IsCompleted)
            {
                if (!_pump.RunOne())
                    Advance();
            }

            return task.GetAwaiter().GetResult();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    private void Advance()
    {
        if (!_timers.TryDequeue(out var timer, out var at))
            throw new InvalidOperationException("nothing is left to wait for");
        if (timer.Version != at.Order)
            return;
        _now = Math.Max(_now, at.Due);
        timer.Fire();
    }

    private sealed class VirtualTimer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>The order number of its place in the queue; 0 when it is not set.</summary>
        public long Version { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Version = 0;
            if (dueTime == Timeout.InfiniteTimeSpan)
                return true;
            Version = ++time._order;
            time._timers.Enqueue(this, (time._now + dueTime.Ticks, Version));
            return true;
        }

        public void Fire()
        {
            Version = 0;
            callback(state);
        }

        public void Dispose() => Version = 0;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Pump : SynchronizationContext
    {
        private readonly Queue<(SendOrPostCallback Callback, object? State)> _queue = new();
        private readonly int _thread = Environment.CurrentManagedThreadId;

        public override void Post(SendOrPostCallback d, object? state)
        {
            Environment.CurrentManagedThreadId.ShouldBe(_thread, "a continuation left the virtual time's thread");
            _queue.Enqueue((d, state));
        }

        public bool RunOne()
        {
            if (!_queue.TryDequeue(out var work))
                return false;
            work.Callback(work.State);
            return true;
        }
    }
}
