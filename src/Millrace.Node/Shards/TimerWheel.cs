using System.Numerics;

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

    /// <summary>Behind the wheel's slots: timers that are about to fire. They are armed until they do.</summary>
    private const int DueSlot = SlotCount;

    private const int BitsPerWord = 64;
    private const int Words = SlotCount / BitsPerWord;

    private readonly ShardTimer?[] _slots = new ShardTimer?[SlotCount + 1];

    /// <summary>A bit for each slot that holds something, so that the next one is found in a few steps.</summary>
    private readonly ulong[] _used = new ulong[Words];
    private readonly Action<Exception>? _report;
    private long _tick;

    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="report">Told of a timer's fault, with which the others have nothing to do; null: it is the caller's.</param>
    public TimerWheel(long now, Action<Exception>? report = null) => (_tick, _report) = (now / TickMicros, report);

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
        Link(timer, (int)(tick % SlotCount));
        Count++;
    }

    public void Disarm(ShardTimer timer)
    {
        if (!timer.IsArmed)
            return;
        Unlink(timer);
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
            CollectDue((int)(_tick % SlotCount), now);
            while (_slots[DueSlot] is { } due)
            {
                Disarm(due);
                Fire(due, now);
            }
        }
    }

    private void Fire(ShardTimer timer, long now)
    {
        try
        {
            timer.OnDeadline(now);
        }
        catch (Exception fault) when (_report is not null)
        {
            _report(fault);
        }
    }

    /// <summary>Milliseconds until the next tick that can hold something; -1 when nothing is armed.</summary>
    public int MillisToNextTick(long now) =>
        Count == 0 ? -1 : (int)Math.Max(0, ((((_tick + TicksToNextUsed()) * TickMicros) - now) / 1_000) + 1);

    /// <summary>1 to <see cref="SlotCount"/>: the current slot is the last one, its timers are due in a round.</summary>
    private int TicksToNextUsed()
    {
        var start = (int)((_tick + 1) % SlotCount);
        var word = start / BitsPerWord;
        var bits = _used[word] & (ulong.MaxValue << (start % BitsPerWord));
        // The first word comes again at the end, for its bits before the start.
        for (var i = 0; bits == 0 && i < Words; i++)
        {
            word = (word + 1) % Words;
            bits = _used[word];
        }

        var slot = (word * BitsPerWord) + BitOperations.TrailingZeroCount(bits);
        return ((slot - start + SlotCount) % SlotCount) + 1;
    }

    /// <summary>Looks at each timer of a slot once, before any of them fires: those of a later round of the wheel stay.</summary>
    private void CollectDue(int slot, long now)
    {
        for (var timer = _slots[slot]; timer is not null;)
        {
            var next = timer.Next;
            if (timer.Deadline <= now)
            {
                Unlink(timer);
                Link(timer, DueSlot);
            }

            timer = next;
        }
    }

    private void Link(ShardTimer timer, int slot)
    {
        timer.Slot = slot;
        ref var head = ref _slots[slot];
        timer.Next = head;
        if (head is not null)
            head.Previous = timer;
        else if (slot != DueSlot)
            _used[slot / BitsPerWord] |= 1UL << (slot % BitsPerWord);
        head = timer;
    }

    private void Unlink(ShardTimer timer)
    {
        var slot = timer.Slot;
        if (timer.Previous is null)
            _slots[slot] = timer.Next;
        else
            timer.Previous.Next = timer.Next;
        if (timer.Next is not null)
            timer.Next.Previous = timer.Previous;
        if (_slots[slot] is null && slot != DueSlot)
            _used[slot / BitsPerWord] &= ~(1UL << (slot % BitsPerWord));
        timer.Next = timer.Previous = null;
        timer.Slot = -1;
    }
}
