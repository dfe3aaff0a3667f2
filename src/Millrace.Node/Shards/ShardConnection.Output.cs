using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;

namespace Millrace.Node.Shards;

/// <summary>The way out: from the cursor to the socket, when it blocks, and how a connection ends behind its last byte.</summary>
internal abstract unsafe partial class ShardConnection
{
    /// <summary>Entries of one scatter send: what comes first (a spill, a head), and a turn's bytes, which may begin and end within a block.</summary>
    protected const int MaxRuns = 2 + (TurnBytes / BlockLog.BlockBytes);

    /// <summary>
    /// Bytes that a connection is sent before others have their turn. More at once is not only unfair: what lies unread in very many
    /// sockets has left the caches, and to write and free it costs twice as much (docs/performance.md, "Ways to hand bytes to the kernel").
    /// </summary>
    internal const int TurnBytes = 256 * 1024;

    /// <summary>How long a peer that has been told goodbye may take to hear it.</summary>
    private const long LingerMicros = 1_000_000;

    /// <summary>
    /// Control bytes that may wait for a peer who does not read. A player is sent some hundreds; one who asks and asks and
    /// never reads the answers would fill the memory that media needs.
    /// </summary>
    private const int MaxUnsentControl = 64 * 1024;

    // As Shard.TryAdopt has registered it.
    private int _interest = Native.EpollIn | Native.EpollReadHangup;

    /// <summary>Sends what there is, as far as the socket takes it. When it takes no more it is asked once to tell.</summary>
    public void Pump(long now)
    {
        if (IsClosed)
            return;
        if (!Cursor.TryFollow())
        {
            Close("the media memory budget is used up");
            return;
        }

        if (_isAnswerDue && Cursor.Lag > 0)
        {
            _isAnswerDue = false;
            OnStarting(now);
            if (IsClosed)
                return;
        }

        var runs = stackalloc WireRun[MaxRuns];
        while (!_isBlocked)
        {
            var count = Cursor.Fill(new Span<WireRun>(runs, MaxRuns), TurnBytes, out var bytes);
            if (count == 0)
            {
                if (_endReason is not null)
                    Linger(now);
                else if (HasMore && OnDrained(now))
                    continue;
                else
                    DeliverSignal(now);
                return;
            }

            var sent = Send(runs, count, bytes, now);
            if (IsClosed)
                return;
            if (sent > 0)
            {
                Cursor.Advance(sent);
                if (Cursor.SpillBytes == 0)
                    _unsentControl = 0;
            }

            if (bytes >= TurnBytes)
                GiveWay(now);
        }
    }

    /// <summary>
    /// One scatter send of <paramref name="bytes"/>. When the socket takes fewer it is asked once to tell, by
    /// <see cref="OnWritable"/>, that it takes more; when it has failed the connection is closed.
    /// </summary>
    protected long Send(WireRun* runs, int count, long bytes, long now)
    {
        var header = new MessageHeader { Runs = runs, RunCount = (nuint)count };
        var sent = Native.SendMessage(Descriptor, &header, Native.MsgDontWait | Native.MsgNoSignal);
        if (sent < 0)
        {
            if (!HandleSendError())
                return 0;
            sent = 0;
        }

        if (sent > 0)
        {
            BytesOut += sent;
            LastProgress = now;
        }

        if (sent < bytes)
            Block(now);
        return sent;
    }

    /// <summary>
    /// Others come first. The socket is asked to tell that it takes more, as if it were full: it says so at once, but when it is its turn.
    /// </summary>
    protected void GiveWay(long now)
    {
        if (!_isBlocked)
            Block(now);
    }

    /// <summary>A viewer; see <see cref="IsOfCrowd"/>.</summary>
    protected void JoinCrowd()
    {
        if (IsOfCrowd)
            return;
        IsOfCrowd = true;
        if (Token >= 0)
            Shard.MoveToCrowd(this, _interest);
    }

    /// <summary>
    /// Something waits for room between two messages: <see cref="OnDrained"/> is called. A mark here, for what it is about is in no cache
    /// when very many are sent to.
    /// </summary>
    public bool HasMore { get; set; }

    /// <summary>All that there was has been sent. True when there is more now.</summary>
    protected virtual bool OnDrained(long now) => false;

    /// <summary>The socket takes bytes again.</summary>
    protected virtual void OnWritable(long now) => Pump(now);

    /// <summary>The loop is told of what the peer sends when it is this many bytes, or when the peer goes; until then they stay in the socket.</summary>
    public void WakeFor(int bytes) => Native.SetOption(Descriptor, Native.SolSocket, Native.SoReceiveLowWater, bytes);

    /// <summary>
    /// What the peer sends stays in its socket until <see cref="ResumeInput"/>, and nobody is woken for it. Should the peer go, its
    /// connection is told so only with <paramref name="hearsHangup"/>, or by a send that fails.
    /// </summary>
    protected void PauseInput(bool hearsHangup) =>
        SetInterest((_interest & Native.EpollOut) | (hearsHangup ? Native.EpollReadHangup : 0));

    protected void ResumeInput() => SetInterest(_interest | Native.EpollIn | Native.EpollReadHangup);

    /// <summary>Queues control bytes at the next message border and sends what the socket takes.</summary>
    public void SendControl(ReadOnlySpan<byte> bytes, long now)
    {
        if (TryQueueControl(bytes))
            Pump(now);
    }

    /// <summary>Queues control bytes at the next message border. False when there are none, or the connection is closed.</summary>
    protected bool TryQueueControl(ReadOnlySpan<byte> bytes)
    {
        if (IsClosed || bytes.IsEmpty)
            return false;
        if (_isBlocked && (_unsentControl += bytes.Length) > MaxUnsentControl)
            Close("the peer does not read what it asked for");
        else if (!Cursor.TryInsert(bytes))
            Close("the media memory budget is used up");
        return !IsClosed;
    }

    /// <summary>
    /// Ends the connection when all that is queued has been sent and the peer has had time to read it: closing a socket
    /// that has unread input would take back what was sent last.
    /// </summary>
    public void EndAfterSent(string reason, long now)
    {
        if (IsEnding)
            return;
        Leave();
        if (IsClosed)
            return;
        _endReason = reason;
        Pump(now);
    }

    private void Linger(long now)
    {
        if (_isLingering)
            return;
        _isLingering = true;
        _lingerEnd = now + LingerMicros;
        _ = Native.Shutdown(Descriptor, Native.ShutWrite);
        ArmBy(_lingerEnd);
    }

    private void DeliverSignal(long now)
    {
        if (_signal is not { } signal)
            return;
        _signal = null;
        // A publisher that is back already has not gone for this viewer.
        if (signal != WireSignal.Unpublished || Cursor.Log?.Committed == _signalPosition)
            OnSignal(signal, now);
    }

    private bool HandleSendError()
    {
        var error = Native.LastError;
        if (error is Native.EAgain or Native.EIntr)
            return true;
        Close(error == Native.EPipe ? "the peer closed the connection" : "the peer reset the connection");
        return false;
    }

    private void Block(long now)
    {
        _isBlocked = true;
        SetInterest(_interest | Native.EpollOut);
        if (WriteTimeoutMicros > 0)
            ArmBy(Math.Max(now, LastProgress) + WriteTimeoutMicros);
    }

    private void SetInterest(int interest)
    {
        if (interest == _interest)
            return;
        _interest = interest;
        Shard.SetInterest(this, interest);
    }
}
