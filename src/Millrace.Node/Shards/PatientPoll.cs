using System.ComponentModel;

namespace Millrace.Node.Shards;

/// <summary>
/// What peers say who are sent media and have little to say themselves, heartbeats above all. The first is heard at once; who speaks within the
/// next <see cref="RestMicros"/> is heard with others when the shard is awake anyway, at the latest at the end of that. So hundreds of
/// them cost hardly a wake-up more than those for media.
/// </summary>
internal sealed class PatientPoll : ShardTimer, IDisposable
{
    /// <summary>Longest wait of somebody who has spoken, and a tick of the wheel.</summary>
    public const long RestMicros = 4 * TimerWheel.TickMicros;

    /// <summary>Between two looks of a shard that is awake.</summary>
    public const long LookMicros = TimerWheel.TickMicros;

    private readonly EventPoll _poll = new();
    private readonly EventPoll _outer;
    private readonly long _token;
    private readonly TimerWheel _wheel;
    private readonly Action<EventPoll, int, long> _dispatch;
    private long _lookedAt;
    private bool _hasHeard;

    /// <param name="outer">The shard's, which tells of the first.</param>
    /// <param name="token">By which it does.</param>
    /// <param name="wheel">The shard's.</param>
    /// <param name="dispatch">Turns to so many of this poll's connections.</param>
    public PatientPoll(EventPoll outer, long token, TimerWheel wheel, Action<EventPoll, int, long> dispatch)
    {
        (_outer, _token, _wheel, _dispatch) = (outer, token, wheel, dispatch);
        if (!outer.TryAdd(_poll.Descriptor, Native.EpollIn | Native.EpollOneShot, token))
            throw new Win32Exception(Native.LastError, "epoll_ctl");
    }

    public bool TryAdd(int descriptor, long token) => _poll.TryAdd(descriptor, Native.EpollIn | Native.EpollReadHangup, token);

    public void Remove(int descriptor) => _poll.Remove(descriptor);

    /// <summary>The shard has been told that somebody has spoken; it is not told of the next.</summary>
    public void Serve(long now)
    {
        Hear(now);
        _wheel.Arm(this, now + RestMicros);
    }

    /// <summary>In each turn of the shard: hears who has spoken since, if he may have waited for a while.</summary>
    public void Look(long now)
    {
        if (IsArmed && now - _lookedAt >= LookMicros)
            Hear(now);
    }

    /// <summary>When nobody has spoken meanwhile the shard is told of the next again.</summary>
    public override void OnDeadline(long now)
    {
        Hear(now);
        if (_hasHeard)
        {
            _hasHeard = false;
            _wheel.Arm(this, now + RestMicros);
        }
        else if (!_outer.TryModify(_poll.Descriptor, Native.EpollIn | Native.EpollOneShot, _token))
        {
            throw new Win32Exception(Native.LastError, "epoll_ctl");
        }
    }

    public void Dispose() => _poll.Dispose();

    private void Hear(long now)
    {
        _lookedAt = now;
        var count = _poll.Wait(0);
        if (count == 0)
            return;
        _hasHeard = true;
        _dispatch(_poll, count, now);
    }
}
