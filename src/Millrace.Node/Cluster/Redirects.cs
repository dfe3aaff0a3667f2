using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Cluster;

/// <summary>How a client came, and so how he can be sent on.</summary>
internal enum ClientProtocol
{
    /// <summary>He cannot be: no browser follows a redirect of a WebSocket.</summary>
    Other,
    Rtmp,
    Http,
    Https,
}

/// <summary>
/// <c>cluster.elsewhere: redirect</c>: where clients are sent who come for a stream that another node has. What the map says is asked for once for all who come
/// within a moment; nobody is sent twice. Any thread.
/// </summary>
internal sealed class Redirects(NodeContext node)
{
    /// <summary>In the query of who has been sent here by another node. He is served, or told that there is nothing: two nodes that name each other would
    /// send him to and fro.</summary>
    public const string Marker = MarkerName + "=1";

    public const string MarkerName = "redirected";

    /// <summary>How long an answer holds, microseconds: about as long as players take to come back for the next object.</summary>
    private const long KeepMicros = 1_000_000;

    /// <summary>What is asked for is made up by clients.</summary>
    private const int MostNames = 10_000;

    private readonly ExpiringEntries<StreamName, RedirectLookup> _lookups = new(MostNames);

    private bool IsOn => node.Settings.Cluster.Elsewhere == StreamElsewhere.Redirect && node.Upstreams.IsMapped;

    /// <summary>Who has a stream that a viewer asks for; null where he is served here, whoever has it.</summary>
    /// <param name="name">The stream.</param>
    /// <param name="query">Of the viewer, without its question mark.</param>
    /// <param name="protocol">How he came.</param>
    public RedirectLookup? ForViewer(StreamName name, string query, ClientProtocol protocol)
    {
        if (!IsOn || protocol == ClientProtocol.Other || query.Contains(Marker, StringComparison.Ordinal))
            return null;
        // What is here already costs nothing more; what nobody has is not asked for again and again.
        var isHere = node.Registry.Find(name) is { State: not StreamState.Idle } || node.Upstreams.TryFind(name, out _) || node.Upstreams.IsMissing(name);
        return isHere ? null : Find(name);
    }

    /// <summary>Who has a stream that somebody wants to publish; null where that is decided here.</summary>
    public RedirectLookup? ForPublisher(StreamName name, string query)
    {
        if (!IsOn || query.Contains(Marker, StringComparison.Ordinal))
            return null;
        // An edge sends it up by itself.
        var isSentOn = node.Settings.OriginsOf(node.Settings.VhostOf(name.Vhost), name.App) is { Count: > 0 };
        var isPublishedHere = node.Registry.Find(name) is { Holder.Info.IsFetched: false };
        return isSentOn || isPublishedHere ? null : Find(name);
    }

    private RedirectLookup? Find(StreamName name)
    {
        var now = NodeClock.Micros;
        if (_lookups.TryFind(name, now, out var known))
            return known;
        var lookup = new RedirectLookup(name);
        // It holds for as long as the question takes, and then for as long as its answer does.
        if (!_lookups.TryAdd(name, lookup, long.MaxValue, now))
            return _lookups.TryFind(name, now, out var other) ? other : null;
        _ = RunAsync(lookup);
        return lookup;
    }

    private async Task RunAsync(RedirectLookup lookup)
    {
        NodeStatus? owner = null;
        try
        {
            var map = node.OriginMap!;
            if (await map.FindAsync(lookup.Name, node.Stopping) is { Url: { } url })
            {
                // Read now and then; only who is not known yet is worth waiting for.
                var listing = map.NodesAsync(node.Stopping);
                owner = OwnerOf(url, map.KnownNodes) ?? OwnerOf(url, await InTimeAsync(listing));
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops, and answers nobody any more.
        }
        finally
        {
            // Whatever has happened: who waits for the answer would wait for ever.
            var now = NodeClock.Micros;
            _lookups.Set(lookup.Name, lookup, now + KeepMicros, now);
            lookup.Complete(owner);
        }
    }

    /// <summary>Within the time of a look-up, whatever the map's condition.</summary>
    private async Task<IReadOnlyList<NodeStatus>> InTimeAsync(Task<IReadOnlyList<NodeStatus>> listing)
    {
        await ((Task)listing).WaitAsync(node.Settings.Cluster.LookupTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return listing.IsCompletedSuccessfully ? listing.Result : [];
    }

    /// <summary>Null where the entry is of a server that is no node, or of one that is not known.</summary>
    private static NodeStatus? OwnerOf(string url, IReadOnlyList<NodeStatus> nodes) =>
        nodes.FirstOrDefault(status => status.Relay.Length > 0 && url.StartsWith(status.Relay + "/", StringComparison.OrdinalIgnoreCase));
}
