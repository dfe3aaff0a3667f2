using System.Buffers;
using Millrace.Streams.Buffers;

namespace Millrace.Streams.Publishing;

/// <summary>One unit that waits for its Era to open.</summary>
internal readonly record struct PendingUnit(
    TrackIntake Intake, long Sender, long CtsMicros, bool IsKey, byte[] Payload, int Length, long ArrivedMicros);

/// <summary>
/// Units of a publisher whose track set is still open. Bounded: when it is full the oldest go, for what comes is nearer
/// to the key frame that everybody waits for.
/// </summary>
internal sealed class PendingUnits(MemoryAccount account) : IDisposable
{
    public const int MaxBytes = 16 << 20;
    public const int MaxUnits = 4_096;

    private readonly Queue<PendingUnit> _units = new();
    private long _bytes;

    public int Count => _units.Count;

    /// <summary>The oldest unit.</summary>
    public PendingUnit First => _units.Peek();

    /// <summary>False when the budget has no room.</summary>
    public bool TryAdd(TrackIntake intake, long sender, long ctsMicros, bool isKey, ReadOnlySpan<byte> payload, long now)
    {
        while (_units.Count > 0 && (_units.Count == MaxUnits || _bytes + payload.Length > MaxBytes))
            Release(Take());
        if (!account.TryCharge(payload.Length))
            return false;
        var copy = ArrayPool<byte>.Shared.Rent(payload.Length);
        payload.CopyTo(copy);
        _units.Enqueue(new PendingUnit(intake, sender, ctsMicros, isKey, copy, payload.Length, now));
        _bytes += payload.Length;
        return true;
    }

    public PendingUnit Take()
    {
        var unit = _units.Dequeue();
        _bytes -= unit.Length;
        return unit;
    }

    public void Release(in PendingUnit unit)
    {
        account.Release(unit.Length);
        ArrayPool<byte>.Shared.Return(unit.Payload);
    }

    public Queue<PendingUnit>.Enumerator GetEnumerator() => _units.GetEnumerator();

    public void Dispose()
    {
        while (_units.Count > 0)
            Release(Take());
    }
}
