using System.Collections.Concurrent;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Cluster;

/// <summary>
/// Look-ups in Redis: one request for all who ask for a name at the same time, an answer within <c>cluster.lookup_timeout</c>, and
/// what was known last when Redis has none. Any thread; the caller's own does no I/O.
/// </summary>
internal sealed class OriginLookups(ClusterSettings settings, RedisLink link, OriginMapCounters counters, LastKnownOrigins known, TimeProvider time)
{
    /// <summary>Names that are asked for at once; more are answered with what was known last.</summary>
    private const int MaxPending = 10_000;

    private readonly ConcurrentDictionary<StreamName, TaskCompletionSource<OriginAnswer>> _pending = new();
    private int _pendingCount;
    private long _refillsUntil = long.MinValue;

    /// <summary>Whether a value of a stream is what this node has registered itself.</summary>
    public required Func<StreamName, string, bool> IsOwn { get; init; }

    /// <summary>Called, by a pool thread, when Redis did not answer in time.</summary>
    public required Action TimedOut { get; init; }

    /// <summary>
    /// The map may be empty because Redis has been restarted or flushed: until all nodes had time to register again, a stream that
    /// is not in it is where it was last.
    /// </summary>
    public void BeginRefill() => Interlocked.Exchange(ref _refillsUntil, time.GetTimestamp() + (long)(settings.Expiry.TotalSeconds * time.TimestampFrequency));

    public async ValueTask<OriginAnswer> FindAsync(StreamName name, CancellationToken cancellationToken)
    {
        counters.Asked();
        if (!link.IsConnected)
            return counters.Answered(LastKnown(name));
        if (!_pending.TryGetValue(name, out var pending))
        {
            if (Volatile.Read(ref _pendingCount) >= MaxPending)
                return counters.Answered(Fail(name, "too many look-ups at once"));
            var own = new TaskCompletionSource<OriginAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
            pending = _pending.GetOrAdd(name, own);
            if (pending == own)
            {
                Interlocked.Increment(ref _pendingCount);
                ThreadPool.UnsafeQueueUserWorkItem(static state => _ = state.Lookups.RunAsync(state.Name, state.Pending), (Lookups: this, Name: name, Pending: own), preferLocal: false);
            }
        }

        return counters.Answered(await pending.Task.WaitAsync(cancellationToken));
    }

    private async Task RunAsync(StreamName name, TaskCompletionSource<OriginAnswer> pending)
    {
        var answer = await AskAsync(name);
        _pending.TryRemove(name, out _);
        Interlocked.Decrement(ref _pendingCount);
        pending.SetResult(answer);
    }

    private async Task<OriginAnswer> AskAsync(StreamName name)
    {
        try
        {
            return link.Database is { } database
                ? Judge(name, await RedisCommands.GetAsync(database, settings.Redis.Prefix + name).WaitAsync(settings.LookupTimeout, time))
                : LastKnown(name);
        }
        catch (TimeoutException)
        {
            TimedOut();
            return Fail(name, "a look-up was not answered in time");
        }
        catch (Exception e)
        {
            // The library has more exceptions than a common base of them, and whoever asks gets an answer whatever happens.
            return Fail(name, e.Message);
        }
    }

    private OriginAnswer Judge(StreamName name, string? value)
    {
        if (value is null && time.GetTimestamp() < Interlocked.Read(ref _refillsUntil))
            return LastKnown(name);
        if (value is not null && !OriginUrl.IsUsable(value))
        {
            counters.Failed($"the value of {name} is not a URL");
            value = null;
        }

        if (value is null || IsOwn(name, value))
        {
            known.Remove(name);
            return OriginAnswer.None;
        }

        known.Set(name, value);
        return new OriginAnswer(value);
    }

    private OriginAnswer Fail(StreamName name, string error)
    {
        counters.Failed(error);
        return LastKnown(name);
    }

    private OriginAnswer LastKnown(StreamName name) =>
        known.TryGet(name, out var url, out var age) && !IsOwn(name, url) ? new OriginAnswer(url, age) : OriginAnswer.None;
}
