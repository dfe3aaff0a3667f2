using System.Buffers;

namespace Millrace.Protocols.Relay;

/// <summary>
/// Puts messages together from pieces of the input. One that lies in a single piece is a slice of it; others are kept in a buffer of the
/// shared pool, which grows as bytes come and not by what a header claims.
/// </summary>
internal sealed class RelayAssembler : IDisposable
{
    private const int FirstBuffer = 4096;

    private readonly byte[] _head = new byte[RelayFrame.MaxHeader];
    private int _headBytes;
    private byte[]? _buffer;
    private byte[]? _delivered;
    private int _received;
    private bool _isSkipped;

    /// <summary>A header has been read, its payload not yet.</summary>
    public bool HasHeader { get; private set; }

    /// <summary>Of a message a part has come.</summary>
    public bool IsWithin => HasHeader || _headBytes > 0;

    /// <summary>Of the current message.</summary>
    public RelayMessageType Type { get; private set; }

    /// <summary>Bytes of the current message's payload, as its header says.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of pooled memory in use: less than twice what came of the current message, or <see cref="FirstBuffer"/>.</summary>
    public long BufferedBytes => (_buffer?.Length ?? 0) + (_delivered?.Length ?? 0);

    /// <summary>False when the input ends within the header, or when <paramref name="isBroken"/>: no length can be so long.</summary>
    public bool TryReadHeader(ref SequenceReader<byte> input, out bool isBroken)
    {
        isBroken = false;
        while (input.TryRead(out var next))
        {
            _head[_headBytes++] = next;
            if (RelayFrame.TryReadHeader(_head.AsSpan(0, _headBytes), out var type, out _, out var length))
            {
                (Type, Length, HasHeader) = (type, length, true);
                (_headBytes, _received, _isSkipped) = (0, 0, !RelayRules.IsKnown(type));
                return true;
            }

            if (length < 0)
            {
                isBroken = true;
                return false;
            }
        }

        return false;
    }

    /// <summary>
    /// Reads the payload behind a header. False when the input ends before it. The payload, which is empty when the type is not known, stays
    /// valid until <see cref="Release"/>.
    /// </summary>
    public bool TryReadPayload(ref SequenceReader<byte> input, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        if (_isSkipped)
        {
            var skipped = (int)Math.Min(Length - _received, input.Remaining);
            input.Advance(skipped);
            _received += skipped;
            HasHeader = _received < Length;
            return !HasHeader;
        }

        if (_received == 0 && input.UnreadSpan.Length >= Length)
        {
            payload = Length == 0 ? default : input.Sequence.Slice(input.Position, Length).First;
            input.Advance(Length);
            HasHeader = false;
            return true;
        }

        Keep(ref input);
        if (_received < Length)
            return false;
        payload = _buffer.AsMemory(0, Length);
        (_delivered, _buffer, HasHeader) = (_buffer, null, false);
        return true;
    }

    /// <summary>Gives back the buffer of the message handed out last.</summary>
    public void Release() => Return(ref _delivered);

    /// <summary>Forgets an unfinished message; the one handed out last stays.</summary>
    public void Abandon() => Return(ref _buffer);

    public void Dispose()
    {
        Abandon();
        Release();
    }

    private void Keep(ref SequenceReader<byte> input)
    {
        var take = (int)Math.Min(Length - _received, input.Remaining);
        if (take == 0)
            return;
        Reserve(_received + take);
        input.TryCopyTo(_buffer.AsSpan(_received, take));
        input.Advance(take);
        _received += take;
    }

    private void Reserve(int needed)
    {
        var capacity = _buffer?.Length ?? 0;
        if (capacity >= needed)
            return;

        // The pool rounds up to powers of two, so that this doubles.
        var grown = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Min(Length, FirstBuffer)));
        _buffer.AsSpan(0, _received).CopyTo(grown);
        Return(ref _buffer);
        _buffer = grown;
    }

    private static void Return(ref byte[]? buffer)
    {
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }
}
