using Millrace.Node.Shards;
using Millrace.Streams;

namespace Millrace.Node.Access;

/// <summary>
/// The right of one viewer or publisher: decided when he comes, and again whenever that has run out, for as long as he stays. Nobody waits for
/// media meanwhile who has been let in once. On his shard.
/// </summary>
/// <param name="judge">Who decides.</param>
/// <param name="claim">What he wants.</param>
/// <param name="rule">Of the stream.</param>
/// <param name="shard">His.</param>
/// <param name="onVerdict">Called with each decision that had to be waited for.</param>
internal sealed class AccessPass(AccessJudge judge, AccessClaim claim, AccessRule rule, Shard shard, Action<AccessVerdict, long> onVerdict)
{
    private bool _isAsking;
    private bool _isOver;

    public StreamName Name => claim.Stream;

    /// <summary>When <see cref="OnTimer"/> is to be called, monotonic microseconds.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>Decides; null where that has to be waited for.</summary>
    public AccessVerdict? Ask(long now)
    {
        if (judge.Judge(claim, rule, now, out var question) is { } verdict)
            return Take(verdict);
        (_isAsking, Deadline) = (true, long.MaxValue);
        question!.Then(() => shard.Post(() => OnAnswer(question, NodeClock.Micros)));
        return null;
    }

    /// <summary>Asks again where it is time to.</summary>
    /// <returns>A refusal that needed no waiting.</returns>
    public AccessVerdict? OnTimer(long now) => now >= Deadline && !_isAsking && !_isOver && Ask(now) is { IsAllowed: false } refusal ? refusal : null;

    /// <summary>He has gone.</summary>
    public void End() => (_isOver, Deadline) = (true, long.MaxValue);

    private void OnAnswer(AccessQuestion question, long now)
    {
        _isAsking = false;
        if (_isOver)
            return;
        onVerdict(Take(AccessJudge.For(claim, question.Verdict!)), now);
    }

    private AccessVerdict Take(AccessVerdict verdict)
    {
        Deadline = verdict.IsAllowed ? verdict.Until : long.MaxValue;
        if (!verdict.IsAllowed)
            judge.Counters.TurnedAway();
        return verdict;
    }
}
