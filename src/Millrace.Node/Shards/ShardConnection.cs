using Millrace.Node.Sessions;
using Millrace.Streams.Wire;

namespace Millrace.Node.Shards;

/// <summary>Why the loop turns to a connection.</summary>
internal enum Turn
{
    /// <summary>Its socket is readable or writable.</summary>
    Ready,

    /// <summary>Its timer is due.</summary>
    Deadline,

    /// <summary>Its wire log has new bytes.</summary>
    Bytes,

    /// <summary>What its request waited for has happened.</summary>
    Released,
}

/// <summary>
/// A socket that belongs to a shard from accept to close. What goes out comes from its cursor: control bytes and, once it
/// is attached, a wire log's. Everything here runs on the shard's thread.
/// </summary>
internal abstract unsafe partial class ShardConnection : ShardTimer, ISessionTraffic
{
    private int _unsentControl;
    private bool _isBlocked;
    private bool _isHandedOver;
    private bool _isLingering;
    private long _lingerEnd;
    private string? _endReason;

    protected ShardConnection(ShardSocket socket, Shard shard, Millrace.Streams.Buffers.MemoryAccount spills)
    {
        Socket = socket;
        Descriptor = socket.Descriptor;
        Shard = shard;
        Cursor = new Cursor(spills);
        LastProgress = NodeClock.Micros;
    }

    public ShardSocket Socket { get; }

    // Here too, for each receipt and each send begins with it, and with very many sockets the other object is in no cache.
    public int Descriptor { get; }

    public Shard Shard { get; }

    public Cursor Cursor { get; }

    public bool IsClosed { get; private set; }

    /// <summary>The connection ends as soon as what is queued has been sent: nothing more is to be done with it.</summary>
    public bool IsEnding => IsClosed || _endReason is not null;

    public long BytesOut { get; private set; }

    public long BytesIn { get; protected set; }

    public long LagBytes => Cursor.Lag;

    public long Skips => Cursor.Skips;

    public long SkippedMessages => Cursor.SkippedMessages;

    /// <summary>One of very many that ask or read at the same moment: the others' events come first.</summary>
    internal bool IsOfCrowd { get; private set; }

    internal int Token { get; set; } = -1;

    internal int SubscriptionIndex { get; set; } = -1;

    /// <summary>Monotonic time when the socket last took bytes, microseconds.</summary>
    protected long LastProgress { get; private set; }

    /// <summary>How long a peer may take no byte while there are some for it, microseconds; 0 = for ever.</summary>
    protected abstract long WriteTimeoutMicros { get; }

    /// <summary>The peer sends nothing more; what it has sent may still be unread.</summary>
    public bool HasPeerEnded { get; private set; }

    /// <summary>
    /// What the loop calls. Input never throws past its session; should a fault of our own do, it ends this connection,
    /// with its trace in the log, and nobody else's.
    /// </summary>
    public void Serve(Turn turn, int ready, long now)
    {
        try
        {
            switch (turn)
            {
                case Turn.Ready:
                    OnReady(ready, now);
                    break;
                case Turn.Deadline:
                    OnDue(now);
                    break;
                case Turn.Released:
                    OnReleased(now);
                    break;
                default:
                    Pump(now);
                    break;
            }
        }
        catch (Exception fault)
        {
            Fail(fault);
        }
    }

    /// <summary>Ends the connection after a fault, and its descriptor even if ending it is what failed.</summary>
    public void Fail(Exception fault)
    {
        Shard.Report(fault);
        try
        {
            Close("a fault of this server; its log has the trace");
        }
        finally
        {
            if (!_isHandedOver)
                Socket.Close();
        }
    }

    private void OnReady(int ready, long now)
    {
        if (IsConnecting && !TryFinishConnect(ready, now))
            return;
        HasPeerEnded |= (ready & (Native.EpollReadHangup | Native.EpollHangup)) != 0;
        // What the peer said before it went is heard first: an unpublish, for one.
        var isGone = (ready & Native.EpollError) != 0 || (ready & (Native.EpollHangup | Native.EpollIn)) == Native.EpollHangup;
        if ((ready & (Native.EpollIn | Native.EpollReadHangup)) != 0)
        {
            if (IsEnding)
                Discard();
            else
                OnReadable(now);
        }

        if (!IsClosed && isGone)
            Close("the peer reset the connection");
        if (!IsClosed && (ready & Native.EpollOut) != 0)
        {
            // It may have no more to send, or block again, or give way again: then nothing of what is waited for changes.
            _isBlocked = false;
            OnWritable(now);
            if (!IsClosed && !_isBlocked)
                SetInterest(_interest & ~Native.EpollOut);
        }
    }

    /// <summary>Called once on the shard's thread after the shard has taken the socket.</summary>
    public abstract void OnAdopted(long now);

    /// <summary>Tells the peer, in its protocol's words, that this side ends, and ends.</summary>
    /// <param name="reason">For the peer and the log.</param>
    /// <param name="mayReturn">The node goes away, not the peer: it may connect again.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public abstract void Farewell(string reason, bool mayReturn, long now);

    /// <summary><see cref="Farewell"/> for callers outside the loop's turn.</summary>
    public void SayFarewell(string reason, bool mayReturn)
    {
        try
        {
            Farewell(reason, mayReturn, NodeClock.Micros);
        }
        catch (Exception fault)
        {
            Fail(fault);
        }
    }

    public void Close(string reason)
    {
        if (IsClosed)
            return;
        IsClosed = true;
        reason = _endReason ?? Socket.Fault ?? reason;
        if (Subscription is { } subscription)
            LeaveSubscription(subscription);
        Cursor.Dispose();
        Shard.Wheel.Disarm(this);
        if (Token >= 0)
            Shard.Release(this);
        OnClosed(reason);
        Socket.Close();
    }

    /// <summary>Lets go of the descriptor, which somebody else takes over.</summary>
    public ShardSocket HandOver()
    {
        (IsClosed, _isHandedOver) = (true, true);
        Cursor.Dispose();
        Shard.Wheel.Disarm(this);
        Shard.Release(this);
        return Socket;
    }

    public override void OnDeadline(long now) => Serve(Turn.Deadline, 0, now);

    private void OnDue(long now)
    {
        if (IsClosed)
            return;
        if (_isBlocked && WriteTimeoutMicros > 0 && now - LastProgress >= WriteTimeoutMicros)
        {
            Close($"the peer took no byte for {WriteTimeoutMicros / 1_000_000} s");
            return;
        }

        if (_isLingering && now >= _lingerEnd)
            Close("told, and closed");
        else if (!IsEnding)
            OnTimer(now);
        if (!IsClosed)
            ArmBy(NextDeadline(now));
    }

    protected abstract void OnReadable(long now);

    /// <summary>For connections that wait for something else than their socket and a wire log.</summary>
    protected virtual void OnReleased(long now)
    {
    }

    protected abstract void OnTimer(long now);

    protected abstract void OnClosed(string reason);

    /// <summary>The earliest deadline besides the write timeout, monotonic microseconds.</summary>
    protected abstract long NextTimer(long now);

    /// <summary>Makes sure that <see cref="OnDeadline"/> is called by then; an earlier call does no harm.</summary>
    protected void ArmBy(long deadline)
    {
        if (!IsClosed && deadline != long.MaxValue && (!IsArmed || deadline < Deadline))
            Shard.Wheel.Arm(this, deadline);
    }

    /// <summary>Receives once. Negative: nothing there. 0: the peer has closed or failed, and the connection is closed.</summary>
    protected int Receive(Span<byte> buffer, int flags = 0)
    {
        nint received;
        fixed (byte* target = buffer)
            received = Native.Receive(Descriptor, target, (nuint)buffer.Length, flags | Native.MsgDontWait);
        if (received > 0)
            return (int)received;
        if (received == 0)
        {
            Close("the peer closed the connection");
            return 0;
        }

        if (Native.LastError is Native.EAgain or Native.EIntr)
            return -1;
        Close("the peer reset the connection");
        return 0;
    }

    private long NextDeadline(long now)
    {
        var timer = _isLingering ? _lingerEnd : IsEnding ? long.MaxValue : NextTimer(now);
        return _isBlocked && WriteTimeoutMicros > 0 ? Math.Min(timer, LastProgress + WriteTimeoutMicros) : timer;
    }

    /// <summary>
    /// Input of a connection that ends; one read a turn, for it may be a flood. The end of it closes the connection, and not
    /// before: closing a socket with unread input takes back what the peer has yet to read (RFC 9112 9.6).
    /// </summary>
    private void Discard() => _ = Receive(Shard.ReceiveBuffer);
}
