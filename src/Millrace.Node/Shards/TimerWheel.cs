namespace Millrace.Node.Shards;

/// <summary>A deadline of something that lives on a shard; in the wheel while it is armed.</summary>
internal abstract class ShardTimer
{
    internal ShardTimer? Next;
    internal ShardTimer? Previous;
    internal int Slot = -1;

    /// <summary>Monotonic time, microseconds.</summary>
    public long Deadline { get; internal set; } = long.MaxValue;

    public bool IsArmed => Slot >= 0;

    public abstract void OnDeadline(long now);
}

/// <summary>
/// All deadlines of one shard: a hashed wheel of 1,024 slots of 8 ms. Arming, moving and disarming cost a few pointer
/// writes; a deadline fires at most one tick late.
/// </summary>
internal sealed class TimerWheel
{
    public const long TickMicros = 8_192;

    private const int SlotCount = 1_024;

    private readonly ShardTimer?[] _slots = new ShardTimer?[SlotCount];
    private long _tick;

    public TimerWheel(long now) => _tick = now / TickMicros;

    public int Count { get; private set; }

    public void Arm(ShardTimer timer, long deadline)
    {
        if (timer.IsArmed && timer.Deadline == deadline)
            return;
        Disarm(timer);
        if (deadline == long.MaxValue)
            return;
        // Rounded up, so that it never fires early; at the earliest in the next tick, so that one pass ends.
        var tick = Math.Max(_tick + 1, (deadline + TickMicros - 1) / TickMicros);
        timer.Deadline = deadline;
        timer.Slot = (int)(tick % SlotCount);
        ref var head = ref _slots[timer.Slot];
        timer.Next = head;
        if (head is not null)
            head.Previous = timer;
        head = timer;
        Count++;
    }

    public void Disarm(ShardTimer timer)
    {
        if (!timer.IsArmed)
            return;
        if (timer.Previous is null)
            _slots[timer.Slot] = timer.Next;
        else
            timer.Previous.Next = timer.Next;
        if (timer.Next is not null)
            timer.Next.Previous = timer.Previous;
        timer.Next = timer.Previous = null;
        timer.Slot = -1;
        timer.Deadline = long.MaxValue;
        Count--;
    }

    /// <summary>Fires all that is due. Timers may arm and disarm any timer, themselves included.</summary>
    public void Advance(long now)
    {
        var target = now / TickMicros;
        if (target - _tick > SlotCount)
            _tick = target - SlotCount;
        while (_tick < target)
        {
            _tick++;
            while (TakeDue((int)(_tick % SlotCount), now) is { } due)
                due.OnDeadline(now);
        }
    }

    /// <summary>Milliseconds until the next tick that can hold something; -1 when nothing is armed.</summary>
    public int MillisToNextTick(long now)
    {
        if (Count == 0)
            return -1;
        for (var ahead = 1; ahead <= SlotCount; ahead++)
        {
            if (_slots[(int)((_tick + ahead) % SlotCount)] is not null)
                return (int)Math.Max(0, ((((_tick + ahead) * TickMicros) - now) / 1_000) + 1);
        }

        return -1;
    }

    private ShardTimer? TakeDue(int slot, long now)
    {
        for (var timer = _slots[slot]; timer is not null; timer = timer.Next)
        {
            // A later round of the wheel shares the slot.
            if (timer.Deadline <= now)
            {
                Disarm(timer);
                return timer;
            }
        }

        return null;
    }
}
