using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;
using StackExchange.Redis;

namespace Millrace.Node.Cluster;

/// <summary>
/// Writes this node's claims and its status. Called by the map's loop alone, and each call is bounded in time; what it returns is why the
/// connection is of no use any more, null when it is.
/// </summary>
internal sealed class RedisWriter(ClusterSettings settings, OriginClaims claims, OriginMapCounters counters, TimeProvider time, ILogger logger)
{
    /// <summary>Claims sent at once: a few milliseconds of Redis' time.</summary>
    private const int BatchSize = 1_000;

    private bool _isRefused;

    /// <summary>Called when an entry that we held was not there any more: somebody emptied the map.</summary>
    public required Action Recreated { get; init; }

    /// <summary>The status, and with it the question whether Redis still answers; then all claims.</summary>
    public async Task<string?> BeatAsync(IDatabaseAsync database, NodeStatus status)
    {
        var published = RedisCommands.PublishAsync(database, settings.Redis.Prefix, status, settings.Expiry);
        // Longer than a look-up, for this gives the connection up: a node that is busy for a moment need not register everything anew.
        await published.WaitAsync(2 * settings.LookupTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        string? refusal = null;
        return ErrorOf(published, ref refusal) ?? await WriteAsync(database, claims.Absorb(), refusal);
    }

    /// <summary>What was registered or removed since.</summary>
    public Task<string?> WriteNewAsync(IDatabaseAsync database) =>
        WriteAsync(database, claims.Absorb().Where(static claim => claim.IsNew), _isRefused ? "" : null);

    /// <summary>While Redis is away: what is to be taken out goes by itself.</summary>
    public void Tidy()
    {
        foreach (var claim in claims.Absorb())
        {
            if (IsGone(claim))
                claims.Forget(claim);
        }

        claims.Count();
    }

    /// <summary>Takes everything of this node out; what cannot be is left to expire.</summary>
    public async Task WithdrawAsync(IDatabaseAsync database, TimeSpan limit)
    {
        var tasks = claims.Absorb().Where(static claim => claim.Written is not null)
            .Select(Task (claim) => RedisCommands.ReleaseAsync(database, claim.Key, claim.Written!))
            .Append(RedisCommands.WithdrawAsync(database, settings.Redis.Prefix, settings.NodeId));
        await Task.WhenAll(tasks).WaitAsync(limit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<string?> WriteAsync(IDatabaseAsync database, IEnumerable<OriginClaim> due, string? refusal)
    {
        foreach (var batch in due.Chunk(BatchSize))
        {
            var tasks = Array.ConvertAll(batch, claim => SendAsync(database, claim));
            // An answer that takes half of what entries live for is as good as none.
            await ((Task)Task.WhenAll(tasks)).WaitAsync(settings.Expiry / 2, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            for (var i = 0; i < tasks.Length; i++)
            {
                if (Apply(batch[i], tasks[i], ref refusal) is { } error)
                    return error;
            }
        }

        claims.Count();
        Report(refusal);
        return null;
    }

    private Task<ClaimOutcome> SendAsync(IDatabaseAsync database, OriginClaim claim)
    {
        if (claim.Url is { } url)
        {
            // Twice: it counts from when Redis has it, not from now.
            claim.OnSent(time.GetTimestamp() + (long)(2 * settings.Expiry.TotalSeconds * time.TimestampFrequency));
            return RedisCommands.ClaimAsync(database, claim.Key, url, claim.Written, settings.Expiry);
        }

        return IsGone(claim) ? Task.FromResult(ClaimOutcome.Taken) : RedisCommands.ReleaseAsync(database, claim.Key, claim.Written!);
    }

    private string? Apply(OriginClaim claim, Task<ClaimOutcome> answer, ref string? refusal)
    {
        if (ErrorOf(answer, ref refusal) is { } error)
            return error;
        if (!answer.IsCompletedSuccessfully)
            claim.OnLost();
        else if (claim.Url is null)
            claims.Forget(claim);
        else if (answer.Result == ClaimOutcome.Taken)
            claim.OnTaken();
        else
        {
            if (claim.IsHeld && answer.Result == ClaimOutcome.Created)
                Recreated();
            claim.OnHeld();
        }

        return null;
    }

    /// <summary>A server that refuses (wrong type, no permission, read only, loading) still answers: that is no reason to connect anew.</summary>
    private string? ErrorOf(Task answer, ref string? refusal)
    {
        if (!answer.IsCompleted)
            return "it does not answer";
        if (answer.Exception?.InnerException is not { } error)
            return null;
        if (error is not RedisServerException)
            return OriginMapCounters.Shorten(error.Message);
        refusal = error.Message;
        counters.Failed(refusal);
        return null;
    }

    /// <summary>One line when it begins and one when it is over.</summary>
    private void Report(string? refusal)
    {
        if (refusal is not null && !_isRefused)
            logger.LogWarning("origin map: Redis refuses to take entries: {Error}", OriginMapCounters.Shorten(refusal));
        else if (refusal is null && _isRefused)
            logger.LogInformation("origin map: Redis takes all entries again");
        _isRefused = refusal is not null;
    }

    private bool IsGone(OriginClaim claim) =>
        claim.Url is null && (claim.Written is null || time.GetTimestamp() >= claim.WrittenUntil);
}
