using Millrace.Streams;
using Millrace.Streams.Wire;

namespace Millrace.Node.Shards;

/// <summary>The wire logs that one shard's viewers read, each with one reader slot for all of them.</summary>
internal sealed class ShardSubscriptions(Shard shard, StreamRegistry registry)
{
    private readonly Dictionary<(StreamName Name, WireKey Key), WireSubscription> _subscriptions = [];

    public IReadOnlyCollection<WireSubscription> All => _subscriptions.Values;

    /// <summary>The shard's subscription to a stream's wire log, made if this viewer is the shard's first.</summary>
    /// <param name="name">The stream; it need not be live.</param>
    /// <param name="key">The wire log.</param>
    /// <param name="windowMicros">Merge window of a new subscription.</param>
    /// <param name="fromEnd">The stream is not live: viewers wait for its next Era.</param>
    /// <param name="unsupported">Set, with null returned, when the stream has nothing that the format can carry.</param>
    public WireSubscription? Get(StreamName name, WireKey key, long windowMicros, out bool fromEnd, out string? unsupported)
    {
        unsupported = null;
        // The viewers of an ended log are about to be told; who comes now is for the stream's next life.
        if (_subscriptions.TryGetValue((name, key), out var known) && !known.Wire.IsEnded)
        {
            fromEnd = known.Stream.IsWaitingFor(key.Format);
            if (fromEnd || !known.Stream.IsEmpty(key, out unsupported))
                return known;
            return null;
        }

        var request = new Request(new WireSubscription(shard, key, windowMicros));
        registry.Use(name, request, static (stream, request) => request.Attach(stream));
        fromEnd = request.FromEnd;
        unsupported = request.Unsupported;
        if (request.Subscription.Wire is null)
            return null;
        _subscriptions[(name, key)] = request.Subscription;
        return request.Subscription;
    }

    /// <summary>The log has ended: it gets no more bytes, and whoever comes from here on needs another.</summary>
    public void Retire(WireSubscription subscription)
    {
        var key = (subscription.Stream.Name, subscription.Wire.Key);
        if (_subscriptions.TryGetValue(key, out var known) && known == subscription)
            _subscriptions.Remove(key);
    }

    /// <summary>The last viewer has left.</summary>
    public void Drop(WireSubscription subscription)
    {
        Retire(subscription);
        subscription.Stream.Detach(subscription.Wire, subscription, NodeClock.Micros);
    }

    /// <summary>What the call inside the stream's lock reads and answers.</summary>
    private sealed class Request(WireSubscription subscription)
    {
        public WireSubscription Subscription { get; } = subscription;

        public bool FromEnd { get; private set; }

        public string? Unsupported { get; private set; }

        public bool Attach(LiveStream stream)
        {
            var wire = stream.Attach(Subscription.Key, Subscription, out var fromEnd, out var unsupported);
            FromEnd = fromEnd;
            Unsupported = unsupported;
            if (wire is not null)
                Subscription.Bind(stream, wire);
            return wire is not null;
        }
    }
}
