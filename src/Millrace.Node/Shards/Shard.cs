using System.Buffers;
using System.Collections.Concurrent;
using System.ComponentModel;
using Microsoft.Extensions.Logging;
using Millrace.Streams;

namespace Millrace.Node.Shards;

/// <summary>
/// One thread with an epoll of its own, and every socket that was dealt to it. Loop: what came in, from publishers first; timers;
/// then sends in slices, only for wire logs that have new bytes and whose merge window is over, and only for so long that input
/// does not wait; again. Nothing here waits, locks or allocates per viewer and frame.
/// </summary>
internal sealed unsafe partial class Shard : IDisposable
{
    /// <summary>A slice ends after this many viewers or this long, so that input and timers get their turn.</summary>
    public const int SliceViewers = 64;

    public const long SliceMicros = 1_000;

    private const int ReceiveBytes = 256 * 1024;
    private const long WakeToken = -1;
    private const long CrowdToken = -2;

    private readonly EventPoll _poll = new();

    // Within the other, so that a publisher never waits behind thousands of viewers.
    private readonly EventPoll _crowd = new();
    private readonly int _wake;
    private readonly ConcurrentQueue<Action> _inbox = new();
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly Queue<IShardPass> _due = [];
    private readonly MergeRests<WireSubscription> _rests;
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
        Wheel = new TimerWheel(NodeClock.Micros, Report);
        Pacer = new MergePacer(NodeClock.Micros);
        _rests = new MergeRests<WireSubscription>(Pacer);
        _wake = Native.EventFd(0, Native.NonBlocking | Native.CloseOnExec);
        if (_wake < 0)
            throw new Win32Exception(Native.LastError, "eventfd");
        if (!_poll.TryAdd(_wake, Native.EpollIn, WakeToken) || !_poll.TryAdd(_crowd.Descriptor, Native.EpollIn, CrowdToken))
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

    /// <summary>Connections that the shard has taken.</summary>
    public int ConnectionCount => Volatile.Read(ref _count);

    public MergePacer Pacer { get; }

    /// <summary>Passes over a wire log's viewers that were through a merge window too late: the shard is at its limit.</summary>
    public long LatePasses { get; private set; }

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
    public void Schedule(IShardPass pass) => _due.Enqueue(pass);

    /// <summary>A pass begins: the next may when its window is over.</summary>
    public void Rest(WireSubscription subscription, long now) => _rests.Add(subscription, now, subscription.WindowMicros);

    /// <param name="viewers">How many the pass served.</param>
    /// <param name="delayMicros">From when it was due to its end.</param>
    /// <param name="windowMicros">Its merge window as configured.</param>
    public void OnPassEnd(int viewers, long delayMicros, long windowMicros)
    {
        if (Pacer.OnPass(viewers, delayMicros, windowMicros))
            LatePasses++;
    }

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

    /// <summary>Takes a connection over: from here on its descriptor is this shard's. To be called on the shard's thread.</summary>
    public bool TryAdopt(ShardConnection connection)
    {
        Interlocked.Increment(ref _count);
        _connections.Add(connection);
        if (PollOf(connection).TryAdd(connection.Descriptor, Native.EpollIn | Native.EpollReadHangup, connection.Token))
            return true;
        Forget(connection);
        return false;
    }

    /// <summary>What of a socket the loop is to hear of: <c>EPOLLIN</c> and its like. Errors are always heard of.</summary>
    public void SetInterest(ShardConnection connection, int interest)
    {
        if (!PollOf(connection).TryModify(connection.Descriptor, interest, connection.Token))
            throw new Win32Exception(Native.LastError, "epoll_ctl");
    }

    /// <summary>From here on the others' events come before this connection's.</summary>
    public void MoveToCrowd(ShardConnection connection, int interest)
    {
        _poll.Remove(connection.Descriptor);
        if (!_crowd.TryAdd(connection.Descriptor, interest, connection.Token))
            throw new Win32Exception(Native.LastError, "epoll_ctl");
    }

    /// <summary>Lets go of a connection without closing its descriptor.</summary>
    public void Release(ShardConnection connection)
    {
        PollOf(connection).Remove(connection.Descriptor);
        Forget(connection);
    }

    public void Dispose()
    {
        _poll.Dispose();
        _crowd.Dispose();
        _ = Native.Close(_wake);
    }

    private void Forget(ShardConnection connection)
    {
        _connections.Remove(connection);
        Interlocked.Decrement(ref _count);
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
