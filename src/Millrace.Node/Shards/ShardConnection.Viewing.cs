using Millrace.Streams.Wire;

namespace Millrace.Node.Shards;

/// <summary>A connection as a viewer of a wire log: how it joins, waits for media, hears of the stream, and leaves.</summary>
internal abstract partial class ShardConnection
{
    private bool _isAnswerDue;
    private WireSignal? _signal;
    private long _signalPosition;

    public WireSubscription? Subscription { get; private set; }

    /// <summary>
    /// Becomes a viewer. A stream that is not live is waited for: the answer goes out with its first bytes, as nothing is
    /// promised before.
    /// </summary>
    public void AttachTo(WireSubscription subscription, bool fromEnd, long now)
    {
        Subscription = subscription;
        subscription.Add(this);
        if (fromEnd)
        {
            // Asked again once the end is taken: had the stream begun in between, its announcement would lie before it.
            Cursor.Attach(subscription.Wire, fromEnd: true);
            fromEnd = subscription.Stream.IsWaitingFor(subscription.Key.Format);
        }

        _isAnswerDue = fromEnd;
        if (!fromEnd)
        {
            OnStarting(now);
            if (IsClosed)
                return;
            Join(subscription.Wire);
        }

        Pump(now);
    }

    /// <summary>Takes its place in the log of a stream that is live.</summary>
    protected virtual void Join(WireLog wire) => Cursor.Attach(wire, fromEnd: false);

    /// <summary>Something is to be said before the next bytes: <see cref="OnStarting"/> is called again.</summary>
    public void AnswerAgain() => _isAnswerDue = true;

    /// <summary>Media follows: what the protocol says before it is to be queued now.</summary>
    protected abstract void OnStarting(long now);

    /// <summary>Leaves the wire log at a message border.</summary>
    public void Leave()
    {
        if (Subscription is not { } subscription)
            return;
        if (Cursor.TryDetach())
            LeaveSubscription(subscription);
        else
            Close("the media memory budget is used up");
    }

    /// <summary>
    /// The stream that this viewer plays has something to say that is not in its bytes. The viewer hears it when it has
    /// been sent what was there before.
    /// </summary>
    public void Signal(WireSignal signal, long position, long now)
    {
        _signal = signal;
        _signalPosition = position;
        Serve(Turn.Bytes, 0, now);
    }

    protected abstract void OnSignal(WireSignal signal, long now);

    private void LeaveSubscription(WireSubscription subscription)
    {
        subscription.Remove(this);
        Subscription = null;
        if (subscription.Viewers.Count == 0)
            Shard.Subscriptions.Drop(subscription);
    }
}
