using Millrace.Node.Settings;
using Millrace.Node.Shards;

namespace Millrace.Node.Relay;

/// <summary>
/// Looks for a better origin beside the one that serves, which is left only when one has been found: for the preferred one while another serves
/// (<see cref="EdgeSettings.Failback"/>), for any while that one has lost the stream itself. On the stream's shard.
/// </summary>
/// <param name="origins">The stream's.</param>
/// <param name="edge">How often.</param>
/// <param name="createDialer">One for each attempt.</param>
/// <param name="tryAsk">Asks who else has the stream; false where nobody can be asked, else <see cref="OnTold"/> follows.</param>
/// <param name="onNotFound">Called when the stream is lost and none of the others has it either.</param>
internal sealed class OriginSearch(OriginList origins, EdgeSettings edge, Func<RelayDialer> createDialer, Func<bool> tryAsk, Action onNotFound)
{
    private RelayDialer? _dialer;
    private OriginAddress? _origin;
    private int _turn;
    private int _rounds;
    private bool _isRoundOver;

    /// <summary>The one that serves has lost the stream.</summary>
    public bool IsUrgent { get; private set; }

    /// <summary>When the next attempt is due, monotonic, microseconds.</summary>
    public long At { get; private set; } = long.MaxValue;

    private bool IsAway => !origins.IsEmpty && origins.Current != origins.Preferred;

    public bool Holds(ShardConnection connection) => _dialer?.Connection == connection;

    public bool Holds(RelayDialer dialer) => _dialer == dialer;

    /// <summary>The current one serves.</summary>
    public void Rest(long now)
    {
        if (IsUrgent)
            Stop("the stream is back where it was");
        (IsUrgent, _turn, _rounds) = (false, 0, 0);
        if (_dialer is null)
            At = edge.Failback > TimeSpan.Zero && IsAway ? now + Jitter(edge.Failback.ToMicros()) : long.MaxValue;
    }

    /// <summary>The current one has lost the stream, and tries to find it again.</summary>
    public void Hurry(long now)
    {
        if (IsUrgent)
            return;
        (IsUrgent, _isRoundOver) = (true, false);
        if (_dialer is not null || tryAsk())
            return;
        if (origins.Count <= 1)
            onNotFound();
        else
            At = now;
    }

    /// <summary>The answer has come; the stream may be back meanwhile.</summary>
    /// <param name="url">Who else has it; null: nobody knows.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void OnTold(string? url, long now)
    {
        if (!IsUrgent)
            return;
        origins.Include(url);
        if (_dialer is null)
            At = now;
    }

    /// <summary>To be called when <see cref="At"/> has come.</summary>
    public void Run(long now)
    {
        At = long.MaxValue;
        if (_dialer is not null)
            return;
        var isNextRound = IsUrgent && _isRoundOver;
        _isRoundOver = false;
        if (isNextRound && tryAsk())
            return;
        _origin = IsUrgent ? origins.Beside(_turn, now) : IsAway && !origins.IsLeftOut(origins.Preferred, now) ? origins.Preferred : null;
        if (_origin is null)
        {
            Postpone(now);
            return;
        }

        _dialer = createDialer();
        _dialer.Dial(_origin);
    }

    /// <summary>The attempt has failed.</summary>
    /// <param name="closed">The connection; null where it did not come to one.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void OnFailed(ShardConnection? closed, long now)
    {
        if (closed is not null && _dialer!.Forget(closed) && _dialer.TryFollow(closed))
            return;
        _dialer = null;
        Postpone(now);
    }

    /// <summary>The attempt has succeeded: hands over its dialer.</summary>
    public RelayDialer Take(out OriginAddress origin)
    {
        (var dialer, origin) = (_dialer!, _origin!);
        (_dialer, At, IsUrgent, _turn, _rounds) = (null, long.MaxValue, false, 0, 0);
        return dialer;
    }

    public void Stop(string reason)
    {
        var dialer = _dialer;
        (_dialer, At, IsUrgent) = (null, long.MaxValue, false);
        dialer?.Stop(reason);
    }

    private void Postpone(long now)
    {
        if (!IsUrgent)
        {
            At = edge.Failback > TimeSpan.Zero && IsAway ? now + Jitter(edge.Failback.ToMicros()) : long.MaxValue;
        }
        else if (++_turn % Math.Max(1, origins.Count - 1) != 0)
        {
            At = now;
        }
        else
        {
            At = now + RelayDialer.PauseAfter(edge, _rounds++);
            origins.LeaveNoneOut();
            _isRoundOver = true;
            onNotFound();
        }
    }

    /// <summary>So that nodes which have lost the same origin do not come back at the same moment.</summary>
    private static long Jitter(long time) => time + Random.Shared.NextInt64((time / 3) + 1);
}
