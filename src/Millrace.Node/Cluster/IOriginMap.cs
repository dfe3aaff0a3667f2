using Millrace.Streams;

namespace Millrace.Node.Cluster;

/// <summary>
/// Which node has a stream. The map is a hint, never an authority: it may be unreachable, and what it says may be over, so
/// whoever follows it must be ready to be refused. Disposal takes what this node has put into it out again.
/// </summary>
internal interface IOriginMap : IAsyncDisposable
{
    /// <summary>What is known about the map itself, for /metrics and the API.</summary>
    OriginMapState State { get; }

    /// <summary>
    /// Says that this node has the stream. Any thread, those that carry media too: it never waits and never throws. Where another
    /// node has said so before, this one takes its place when that one has gone.
    /// </summary>
    /// <param name="name">The stream.</param>
    /// <param name="url">Where others get it, <c>millrace://host:port/vhost/app/name</c>; one that is not <see cref="OriginUrl.IsUsable"/> is a failure that is counted.</param>
    void Register(StreamName name, string url);

    /// <summary>Takes back <see cref="Register"/>; as it, any thread. Another node's entry stays.</summary>
    void Remove(StreamName name);

    /// <summary>
    /// Where a stream is to be had, if another node has it. Answers within <c>cluster.lookup_timeout</c>, whatever the map's
    /// condition; look-ups of one name at the same time are one. The call itself does no I/O.
    /// </summary>
    /// <param name="name">The stream.</param>
    /// <param name="cancellationToken">Ends this caller's wait: the only exception there is.</param>
    ValueTask<OriginAnswer> FindAsync(StreamName name, CancellationToken cancellationToken);

    /// <summary>All nodes that live, this one too, by name; as they were last when the map cannot be reached.</summary>
    Task<IReadOnlyList<NodeStatus>> NodesAsync(CancellationToken cancellationToken);

    /// <summary>What <see cref="NodesAsync"/> found last; empty before.</summary>
    IReadOnlyList<NodeStatus> KnownNodes { get; }
}

/// <summary>What a look-up found.</summary>
/// <param name="Url">As it stands in the map, of any scheme; null when no other node has the stream.</param>
/// <param name="Age">How long ago the map said so, when it could not be asked now; null when it just did.</param>
internal readonly record struct OriginAnswer(string? Url, TimeSpan? Age = null)
{
    public static OriginAnswer None => default;

    public bool IsStale => Age is not null;
}

/// <summary>The map at one moment.</summary>
/// <param name="Kind"><c>memory</c> or <c>redis</c>.</param>
/// <param name="IsConnected">Whether it can be asked.</param>
/// <param name="Since">Since when it can, or cannot.</param>
/// <param name="Registered">Streams that this node has said to have.</param>
/// <param name="Candidates">Those of them for which another node, or nobody yet, stands in the map.</param>
/// <param name="Lookups">Calls of <see cref="IOriginMap.FindAsync"/>, since the start.</param>
/// <param name="Misses">Those that found nothing.</param>
/// <param name="Stale">Those that were answered with what was known last.</param>
/// <param name="Failures">Look-ups, entries and attempts to connect that the map refused or did not answer, and values that make no sense.</param>
/// <param name="LastError">Of the last failure, at most <see cref="OriginMapCounters.MaxErrorLength"/> characters; null without any.</param>
internal sealed record OriginMapState(
    string Kind, bool IsConnected, DateTimeOffset Since, int Registered, int Candidates,
    long Lookups, long Misses, long Stale, long Failures, string? LastError);
