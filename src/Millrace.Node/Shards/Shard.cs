using System.Buffers;
using System.Collections.Concurrent;
using System.ComponentModel;
using Microsoft.Extensions.Logging;
using Millrace.Streams;

namespace Millrace.Node.Shards;

/// <summary>
/// One thread with an epoll of its own, and every socket that was dealt to it. Loop: what came in; timers; then sends in
/// slices, only for wire logs that have new bytes and whose merge window is over; again. Nothing here waits, locks or
/// allocates per viewer and frame.
/// </summary>
internal sealed unsafe class Shard : IDisposable
{
    /// <summary>A slice ends after this many viewers or this long, so that input and timers get their turn.</summary>
    public const int SliceViewers = 64;

    public const long SliceMicros = 1_000;

    private const int ReceiveBytes = 256 * 1024;
    private const long WakeToken = -1;
    private const int StopPollMillis = 20;

    private readonly EventPoll _poll = new();
    private readonly int _wake;
    private readonly ConcurrentQueue<Action> _inbox = new();
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly List<IShardPass> _due = [];
    private readonly ConnectionTable _connections = new();
    private WireSubscription? _dirty;
    private int _isAsleep;
    private volatile bool _stops;
    private long _stopDeadline;
    private int _count;

    public Shard(int number, StreamRegistry registry, ILogger logger)
    {
        Subscriptions = new ShardSubscriptions(this, registry);
        Number = number;
        _logger = logger;
        Wheel = new TimerWheel(NodeClock.Micros);
        _wake = Native.EventFd(0, Native.NonBlocking | Native.CloseOnExec);
        if (_wake < 0)
            throw new Win32Exception(Native.LastError, "eventfd");
        if (!_poll.TryAdd(_wake, Native.EpollIn, WakeToken))
            throw new Win32Exception(Native.LastError, "epoll_ctl");
        _thread = new Thread(Run) { Name = $"shard-{number}", IsBackground = true };
    }

    public int Number { get; }

    public TimerWheel Wheel { get; }

    public ShardSubscriptions Subscriptions { get; }

    /// <summary>Where a connection receives into; its content is used before the next connection's turn.</summary>
    public byte[] ReceiveBuffer { get; } = GC.AllocateUninitializedArray<byte>(ReceiveBytes, pinned: true);

    /// <summary>Where sessions write their replies; empty between turns.</summary>
    public ArrayBufferWriter<byte> Reply { get; } = new(4096);

    /// <summary>Where sessions put a message together before it goes to <see cref="Reply"/>; nothing in it outlives a call.</summary>
    public ArrayBufferWriter<byte> Scratch { get; } = new(1024);

    /// <summary>Connections that were dealt to this shard, those included that it has yet to take.</summary>
    public int ConnectionCount => Volatile.Read(ref _count);

    /// <summary>Passes over a wire log's viewers that took longer than its merge window: the shard is at its limit.</summary>
    public long LatePasses { get; set; }

    /// <summary>Bytes allocated by the shard's thread so far: the proof that the send path allocates nothing.</summary>
    public long AllocatedBytes { get; private set; }

    public bool IsCurrent => Environment.CurrentManagedThreadId == _thread.ManagedThreadId;

    public void Start() => _thread.Start();

    /// <summary>Faults of our own that cost a connection; each is in the log with its trace.</summary>
    public long Faults { get; private set; }

    public void Report(Exception fault)
    {
        Faults++;
        _logger.LogError(fault, "a connection of shard {Shard} failed", Number);
    }

    /// <summary>Says goodbye to every connection; the thread ends when all have gone, at the latest at the deadline.</summary>
    /// <param name="reason">For the peers and the log.</param>
    /// <param name="deadline">Monotonic time, microseconds.</param>
    public void BeginStop(string reason, long deadline)
    {
        _stopDeadline = deadline;
        Post(() =>
        {
            foreach (var connection in _connections.All)
                connection?.SayFarewell(reason, mayReturn: true);
            _stops = true;
        });
    }

    /// <summary>Waits for the end that <see cref="BeginStop"/> began.</summary>
    public void Join()
    {
        if (_thread.IsAlive)
            _thread.Join();
    }

    /// <summary>Runs an action on the shard's thread.</summary>
    public void Post(Action action)
    {
        _inbox.Enqueue(action);
        WakeIfAsleep();
    }

    /// <summary>Gives a pass its slices, from this loop on until it is through. To be called on the shard's thread, once for each pass.</summary>
    public void Schedule(IShardPass pass) => _due.Add(pass);

    /// <summary>Called by a log's writer on any thread: the subscription has bytes to send. Lock-free and free of allocation.</summary>
    public void MarkDirty(WireSubscription subscription)
    {
        WireSubscription? head;
        do
        {
            head = Volatile.Read(ref _dirty);
            subscription.NextDirty = head;
        }
        while (Interlocked.CompareExchange(ref _dirty, subscription, head) != head);
        if (!IsCurrent)
            WakeIfAsleep();
    }

    /// <summary>Counts a connection that will be posted to this shard, so that a burst is dealt out evenly. Any thread.</summary>
    public void Expect() => Interlocked.Increment(ref _count);

    /// <summary>Takes an expected connection over: from here on its descriptor is this shard's. To be called on the shard's thread.</summary>
    public bool TryAdopt(ShardConnection connection)
    {
        _connections.Add(connection);
        if (_poll.TryAdd(connection.Descriptor, Native.EpollIn | Native.EpollReadHangup, connection.Token))
            return true;
        Forget(connection);
        return false;
    }

    /// <summary>What of a socket the loop is to hear of: <c>EPOLLIN</c> and its like. Errors are always heard of.</summary>
    public void SetInterest(ShardConnection connection, int interest)
    {
        if (!_poll.TryModify(connection.Descriptor, interest, connection.Token))
            throw new Win32Exception(Native.LastError, "epoll_ctl");
    }

    /// <summary>Lets go of a connection without closing its descriptor.</summary>
    public void Release(ShardConnection connection)
    {
        _poll.Remove(connection.Descriptor);
        Forget(connection);
    }

    public void Dispose()
    {
        _poll.Dispose();
        _ = Native.Close(_wake);
    }

    private void Forget(ShardConnection connection)
    {
        _connections.Remove(connection);
        Interlocked.Decrement(ref _count);
    }

    private void Run()
    {
        while (!_stops || (ConnectionCount > 0 && NodeClock.Micros < _stopDeadline))
        {
            var now = NodeClock.Micros;
            var timeout = Timeout(now);
            if (_stops)
                timeout = timeout < 0 ? StopPollMillis : Math.Min(timeout, StopPollMillis);
            if (timeout != 0)
            {
                Interlocked.Exchange(ref _isAsleep, 1);
                if (Volatile.Read(ref _dirty) is not null || !_inbox.IsEmpty)
                    timeout = 0;
            }

            var count = _poll.Wait(timeout);
            Volatile.Write(ref _isAsleep, 0);
            now = NodeClock.Micros;
            for (var i = 0; i < count; i++)
                Dispatch(i, now);
            while (_inbox.TryDequeue(out var action))
                RunPosted(action);
            Wheel.Advance(now);
            CollectDirty();
            Send();
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
        }

        CloseAll();
    }

    private void RunPosted(Action action)
    {
        try
        {
            action();
        }
        catch (Exception fault)
        {
            // Whatever it was about, the shard's other connections have no part in it.
            Report(fault);
        }
    }

    private void Dispatch(int index, long now)
    {
        _poll.Read(index, out var ready, out var token);
        if (token == WakeToken)
        {
            long value;
            _ = Native.Read(_wake, &value, sizeof(long));
            return;
        }

        // A connection that an earlier event of this batch closed has left its place empty; newcomers take places only
        // after the batch.
        if (_connections[token] is { } connection)
            connection.Serve(Turn.Ready, ready, now);
    }

    private int Timeout(long now)
    {
        if (_due.Count == 0)
            return Wheel.MillisToNextTick(now);
        var earliest = long.MaxValue;
        foreach (var pass in _due)
            earliest = Math.Min(earliest, pass.DueAt);
        if (earliest <= now)
            return 0;
        var millis = (int)((earliest - now + 999) / 1_000);
        var wheel = Wheel.MillisToNextTick(now);
        return wheel < 0 ? millis : Math.Min(millis, wheel);
    }

    private void CollectDirty()
    {
        var subscription = Interlocked.Exchange(ref _dirty, null);
        while (subscription is not null)
        {
            var next = subscription.NextDirty;
            subscription.NextDirty = null;
            // One that is in the middle of a pass has its mark taken here, and gets no other until the next pass begins.
            subscription.IsDueAgain = subscription.IsScheduled;
            if (!subscription.IsScheduled)
            {
                subscription.IsScheduled = true;
                Schedule(subscription);
            }

            subscription = next;
        }
    }

    /// <summary>One slice for each pass that is due; those that are through leave the list.</summary>
    private void Send()
    {
        for (var i = _due.Count - 1; i >= 0; i--)
        {
            var now = NodeClock.Micros;
            if (_due[i].DueAt <= now && _due[i].RunSlice(now))
                _due.RemoveAt(i);
        }
    }

    private void WakeIfAsleep()
    {
        if (Interlocked.Exchange(ref _isAsleep, 0) == 1)
            Wake();
    }

    private void Wake()
    {
        long one = 1;
        _ = Native.Write(_wake, &one, sizeof(long));
    }

    private void CloseAll()
    {
        // A socket that was dealt in the last moment is in the inbox.
        while (_inbox.TryDequeue(out var action))
            RunPosted(action);
        foreach (var connection in _connections.All)
            connection?.Close("the node is shutting down, and the peer did not take the last bytes");
        if (_logger.IsEnabled(LogLevel.Debug))
            _logger.LogDebug("shard {Shard} stopped", Number);
    }
}
