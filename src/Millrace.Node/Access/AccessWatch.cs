namespace Millrace.Node.Access;

/// <summary>The right of one viewer on Kestrel; as <see cref="AccessPass"/> on a shard.</summary>
/// <param name="judge">Who decides.</param>
/// <param name="claim">What he wants.</param>
/// <param name="rule">Of the stream.</param>
internal sealed class AccessWatch(AccessJudge judge, AccessClaim claim, AccessRule rule)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>Decides; a refusal is counted.</summary>
    public async Task<AccessVerdict> AskAsync(CancellationToken cancellationToken)
    {
        if (judge.Judge(claim, rule, NodeClock.Micros, out var question) is not { } verdict)
        {
            var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            question!.Then(answered.SetResult);
            await answered.Task.WaitAsync(cancellationToken);
            verdict = AccessJudge.For(claim, question.Verdict!);
        }

        if (!verdict.IsAllowed)
            judge.Counters.TurnedAway();
        return verdict;
    }

    /// <summary>Asks again whenever what was decided has run out, and lets the viewer go when it is a no.</summary>
    /// <param name="verdict">That let him in.</param>
    /// <param name="onRefused">Called once, with the reason.</param>
    /// <param name="cancellationToken">He has gone.</param>
    public async Task KeepAsync(AccessVerdict verdict, Action<string> onRefused, CancellationToken cancellationToken)
    {
        try
        {
            while (verdict.IsAllowed)
            {
                if (verdict.Until == long.MaxValue)
                    return;
                var left = TimeSpan.FromMicroseconds(Math.Max(0, verdict.Until - NodeClock.Micros));
                await Task.Delay(left < LongestPause ? left + TimeSpan.FromMilliseconds(1) : LongestPause, cancellationToken);
                verdict = await AskAsync(cancellationToken);
            }

            onRefused($"may play no more: {verdict.Reason}");
        }
        catch (OperationCanceledException)
        {
            // The viewer has gone.
        }
    }
}
