using System.Runtime.InteropServices;
using Millrace.Streams.Buffers;

namespace Millrace.Streams.Wire;

/// <summary>Where a run of bytes to send lies: the layout of <c>struct iovec</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct WireRun
{
    public byte* Address;
    public nuint Length;
}

/// <summary>
/// A viewer's place in a wire log. What it must be sent that is not in the log (its preamble, control replies, the rest
/// of a message whose block goes back) lies in its spill, which is sent first and always ends at a message border.
/// Used by the viewer's own thread only, inside the span that its <see cref="WireReader"/> protects.
/// </summary>
internal sealed unsafe class Cursor(MemoryAccount spills) : IDisposable
{
    private byte* _spill;
    private int _spillCapacity;
    private int _spillStart;
    private int _spillEnd;
    private int _preambleStart = -1;
    private bool _awaitsJoin;
    private WireLog? _log;

    // The last position that is known to be a message border without asking the index, which may have forgotten it.
    private long _border;

    /// <summary>Position in the log of the next byte to send after the spill.</summary>
    public long Position { get; private set; }

    /// <summary>Times that this viewer lost media because it was too slow.</summary>
    public long Skips { get; private set; }

    /// <summary>Messages (frames) that it lost.</summary>
    public long SkippedMessages { get; private set; }

    /// <summary>
    /// Said by a reader that takes whole messages and goes offline between them: when it fell below the floor, what it
    /// stood before may have been given back already, and there is no message to finish.
    /// </summary>
    public bool StopsAtBorders { get; init; }

    public int SpillBytes => _spillEnd - _spillStart;

    public WireLog? Log => _log;

    /// <summary>Bytes of the log that the viewer has yet to be sent.</summary>
    public long Lag => _log is null || _awaitsJoin ? 0 : _log.Committed - Position;

    public bool HasBytes => SpillBytes > 0 || Lag > 0;

    /// <summary>
    /// Attaches to a log: at its newest key frame, or (a stream that has not started, or whose publisher is away) at its
    /// end, where the next Era announces itself.
    /// </summary>
    public void Attach(WireLog log, bool fromEnd)
    {
        _log = log;
        // Not what is committed by now: the Era may have announced itself since the stream was asked.
        MoveTo(log.IdleEnd);
        _awaitsJoin = (!fromEnd || Position < log.Floor) && !TryJoin();
    }

    /// <summary>Attaches to a log at the start of a message, or at its end.</summary>
    public void AttachAt(WireLog log, long border)
    {
        _log = log;
        MoveTo(border);
        _awaitsJoin = false;
    }

    /// <summary>
    /// Leaves the log at a message border: what is left of a message that was begun goes to the spill. False when the
    /// budget has no room for that.
    /// </summary>
    public bool TryDetach()
    {
        if (!TrySpillRestOfMessage())
            return false;
        _log = null;
        _awaitsJoin = false;
        return true;
    }

    /// <summary>
    /// To be called before <see cref="Fill"/> in each pass: moves a cursor below the floor to the newest key frame, and
    /// one that waits for a key frame to the first that came. False when the budget has no room for the spill.
    /// </summary>
    public bool TryFollow()
    {
        var log = _log;
        if (log is null)
            return true;
        if (_awaitsJoin)
        {
            _awaitsJoin = !TryJoin();
            return true;
        }

        if (Position >= log.Floor)
            return true;
        if (!StopsAtBorders && !TrySpillRestOfMessage())
            return false;
        if (Position >= log.Floor)
            return true;
        var lostFrom = log.Index.Find(Position);
        Skips++;
        if (TryJoin())
        {
            SkippedMessages += Math.Max(0, log.Index.Find(Position) - lostFrom);
        }
        else
        {
            SkippedMessages += Math.Max(0, log.Index.End - lostFrom);
            MoveTo(log.Committed);
            _awaitsJoin = true;
        }

        return true;
    }

    /// <summary>Describes the next bytes to send, in order. Returns how many entries of <paramref name="runs"/> are used.</summary>
    public int Fill(Span<WireRun> runs, long limit, out long bytes)
    {
        var count = 0;
        bytes = 0;
        if (SpillBytes > 0)
        {
            runs[count++] = new WireRun { Address = _spill + _spillStart, Length = (nuint)SpillBytes };
            bytes = SpillBytes;
        }

        if (_log is null || _awaitsJoin)
            return count;
        var position = Position;
        var end = _log.Committed;
        if (position == end)
            _border = end;
        while (count < runs.Length && position < end && bytes < limit)
        {
            var address = _log.Bytes.Locate(position, Math.Min(end - position, limit - bytes), out var length);
            runs[count++] = new WireRun { Address = address, Length = (nuint)length };
            position += length;
            bytes += length;
        }

        return count;
    }

    public void Advance(long sent)
    {
        var fromSpill = (int)Math.Min(sent, SpillBytes);
        if (fromSpill > 0)
        {
            _spillStart += fromSpill;
            if (_spillStart == _spillEnd)
                ReleaseSpill();
        }

        Position += sent - fromSpill;
    }

    /// <summary>Queues bytes that are not of the log, to be sent at the next message border. False when the budget has no room.</summary>
    public bool TryInsert(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return true;
        if (!TrySpillRestOfMessage())
            return false;
        // A preamble that has not begun to go out could still be replaced; bytes behind it fix it in place.
        _preambleStart = -1;
        return TryAppendSpill(bytes);
    }

    public void Dispose()
    {
        _log = null;
        ReleaseSpill();
    }

    private bool TryJoin()
    {
        var log = _log!;
        var number = log.JoinNumber;
        if (number < 0)
            return false;
        ref readonly var entry = ref log.Index[number];
        if (_preambleStart >= _spillStart && _preambleStart >= 0)
            _spillEnd = _preambleStart;
        else
            _preambleStart = _spillEnd;
        if (!TryAppendSpill(log.PreambleAt(number)))
            return false;
        MoveTo(entry.Start);
        return true;
    }

    private void MoveTo(long border) => Position = _border = border;

    private bool TrySpillRestOfMessage()
    {
        var log = _log;
        if (log is null || _awaitsJoin || Position == _border)
            return true;
        // Committed before the index: a message that comes in between must not be taken for the rest of this one.
        var end = log.Committed;
        if (Position >= end)
            return true;
        var number = log.Index.Find(Position);
        // The message itself may be forgotten already, when its reader protects no more than the bytes that are left.
        if (number < log.Index.End && log.Index[number].Start < Position)
            number++;
        if (number < log.Index.End)
            end = Math.Min(end, log.Index[number].Start);
        if (end == Position)
            return true;
        var rest = (int)(end - Position);
        if (!TryGrowSpill(rest))
            return false;
        log.Bytes.CopyTo(Position, new Span<byte>(_spill + _spillEnd, rest));
        _spillEnd += rest;
        MoveTo(end);
        return true;
    }

    private bool TryAppendSpill(ReadOnlySpan<byte> bytes)
    {
        if (!TryGrowSpill(bytes.Length))
            return false;
        bytes.CopyTo(new Span<byte>(_spill + _spillEnd, bytes.Length));
        _spillEnd += bytes.Length;
        return true;
    }

    private bool TryGrowSpill(int more)
    {
        if (_spillEnd + more <= _spillCapacity)
            return true;
        var capacity = Math.Max(512, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(SpillBytes + more)));
        if (!spills.TryCharge(capacity))
            return false;
        var grown = (byte*)NativeMemory.Alloc((nuint)capacity);
        var held = SpillBytes;
        new Span<byte>(_spill + _spillStart, held).CopyTo(new Span<byte>(grown, held));
        if (_preambleStart >= 0)
            _preambleStart -= _spillStart;
        FreeSpill();
        _spill = grown;
        _spillCapacity = capacity;
        _spillStart = 0;
        _spillEnd = held;
        return true;
    }

    private void ReleaseSpill()
    {
        FreeSpill();
        _spill = null;
        _spillCapacity = 0;
        _spillStart = 0;
        _spillEnd = 0;
        _preambleStart = -1;
    }

    private void FreeSpill()
    {
        if (_spill is null)
            return;
        NativeMemory.Free(_spill);
        spills.Release(_spillCapacity);
    }
}
