using System.Collections.Concurrent;
using Millrace.Node.Settings;

namespace Millrace.Node.Access;

/// <summary>
/// What origins have said of claims, for as long as it holds, and what they are being asked. A yes that has little time left is asked for again
/// while it still holds, so that nobody waits. One that has run out holds on while no origin can be asked, for <c>edge.give_up</c> at most. Any
/// thread; time is an argument.
/// </summary>
/// <param name="edge">How long verdicts hold.</param>
/// <param name="ask">Begins to ask; <see cref="Settle"/> ends it.</param>
internal sealed class AccessVerdicts(EdgeSettings edge, Action<AccessQuestion> ask)
{
    /// <summary>Those who may: some 15 MB.</summary>
    private const int MostGranted = 100_000;

    /// <summary>Claims that are refused can be made up at no cost, and have to be asked for again soon anyway.</summary>
    private const int MostRefused = 10_000;

    /// <summary>The least that a yes holds, microseconds: origins that say next to nothing are not asked without end.</summary>
    private const long LeastMicros = 100_000;

    private const long SweepMicros = 10_000_000;

    /// <summary>More claims are refused, so that a flood of them has no queue.</summary>
    private const int MostQuestions = 10_000;

    private readonly ExpiringEntries<AccessKey, AccessVerdict> _granted = new(MostGranted);
    private readonly ExpiringEntries<AccessKey, AccessVerdict> _refused = new(MostRefused);
    private readonly ConcurrentDictionary<AccessKey, AccessQuestion> _questions = new();
    private int _questionCount;
    private long _nextSweep;

    public AccessCounters Counters { get; } = new();

    /// <summary>Verdicts that are kept.</summary>
    public int Count => _granted.Count + _refused.Count;

    /// <summary>Questions that are being asked.</summary>
    public int Pending => Volatile.Read(ref _questionCount);

    /// <summary>What is known of a claim; null where that has to be waited for.</summary>
    /// <param name="claim">What somebody wants.</param>
    /// <param name="key">Of the claim.</param>
    /// <param name="path">The nodes below that he asks by.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="question">What is waited for.</param>
    public AccessVerdict? Find(AccessClaim claim, AccessKey key, IReadOnlyList<string> path, long now, out AccessQuestion? question)
    {
        question = null;
        _granted.TryFind(key, now, out var granted);
        _refused.TryFind(key, now, out var refused);
        var known = granted is not null && (now < granted.Until || granted.IsStale) ? granted : refused;
        if (known is null)
        {
            question = Ask(claim, key, path);
            return question is null ? new AccessVerdict(AccessOutcome.Unavailable, "too much is being asked at the same moment", now) : null;
        }

        Counters.Remembered();
        if (now >= known.RenewAt)
            Ask(claim, key, path);
        return known.IsStale && now >= known.Until ? known with { Until = now + edge.AccessRefusalCache.ToMicros() } : known;
    }

    /// <summary>An origin has answered, or none has.</summary>
    /// <param name="question">What was asked.</param>
    /// <param name="outcome">Whether somebody may.</param>
    /// <param name="reason">Why not.</param>
    /// <param name="lifetime">How long that holds at most, as the origin says; 0: it does not say.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="isUnexplained">The origin has hung up: some say no so, and others die while they are asked. Whoever was let in stays until it is asked again, and does so again.</param>
    public void Settle(AccessQuestion question, AccessOutcome outcome, string reason, long lifetime, long now, bool isUnexplained = false)
    {
        var isDoubt = isUnexplained && _granted.TryFind(question.Key, now, out var before) && !before.IsDoubted;
        if (isDoubt)
            outcome = AccessOutcome.Unavailable;
        Counters.Asked(outcome);
        var verdict = VerdictOf(question.Key, outcome, reason, lifetime, now) with { IsDoubted = isDoubt };
        (verdict.IsAllowed ? _refused : _granted).Remove(question.Key);
        (verdict.IsAllowed ? _granted : _refused).Set(question.Key, verdict, verdict.KeptUntil, now);
        if (_questions.TryRemove(question.Key, out _))
            Interlocked.Decrement(ref _questionCount);
        question.Settle(verdict);
    }

    /// <summary>Forgets what is over; to be called now and then.</summary>
    public void Sweep(long now)
    {
        if (now < _nextSweep)
            return;
        _nextSweep = now + SweepMicros;
        _granted.Sweep(now);
        _refused.Sweep(now);
    }

    private AccessVerdict VerdictOf(AccessKey key, AccessOutcome outcome, string reason, long lifetime, long now)
    {
        if (outcome == AccessOutcome.Allowed)
        {
            var cache = edge.AccessCache.ToMicros();
            var holds = lifetime > 0 ? Math.Clamp(lifetime, LeastMicros, cache) : cache;
            return new AccessVerdict(outcome, "", now + holds) { RenewAt = now + (holds * 3 / 4), KeptUntil = now + holds + edge.GiveUp.ToMicros() };
        }

        var pause = now + edge.AccessRefusalCache.ToMicros();
        // Who was let in a moment ago is not put out because an origin is away; it is soon asked again.
        return outcome == AccessOutcome.Unavailable && _granted.TryFind(key, now, out var granted)
            ? granted with { Until = Math.Max(granted.Until, pause), RenewAt = pause, IsStale = true }
            : new AccessVerdict(outcome, reason, pause);
    }

    private AccessQuestion? Ask(AccessClaim claim, AccessKey key, IReadOnlyList<string> path)
    {
        if (_questions.TryGetValue(key, out var running))
            return running;
        if (Interlocked.Increment(ref _questionCount) > MostQuestions)
        {
            Interlocked.Decrement(ref _questionCount);
            return null;
        }

        var question = new AccessQuestion(key, claim, path);
        running = _questions.GetOrAdd(key, question);
        if (running == question)
            ask(question);
        else
            Interlocked.Decrement(ref _questionCount);
        return running;
    }
}
