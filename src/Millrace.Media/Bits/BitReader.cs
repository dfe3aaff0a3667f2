namespace Millrace.Media.Bits;

/// <summary>
/// Reads bits, most significant first. Never throws on input: a read past the end gives 0 and sets <see cref="Failed"/>, which
/// stays set. A parser therefore reads a whole structure and tests once, but must test (or bound) inside every loop.
/// </summary>
internal ref struct BitReader
{
    private readonly ReadOnlySpan<byte> _data;
    private readonly bool _isNal;
    private int _next;
    private int _zeros;
    private uint _current;
    private int _left;

    /// <param name="data">The bytes to read.</param>
    /// <param name="isNal">
    /// The bytes are a NAL unit: an emulation prevention byte (the 03 of 00 00 03) is skipped (H.264 7.3.1, H.265 7.3.1.1).
    /// </param>
    public BitReader(ReadOnlySpan<byte> data, bool isNal = false)
    {
        _data = data;
        _isNal = isNal;
    }

    /// <summary>A read went past the end, or a code was longer than its type.</summary>
    public bool Failed { get; private set; }

    /// <summary>Unread bits; an upper bound where emulation prevention bytes are still to be skipped.</summary>
    public readonly int BitsLeft => Failed ? 0 : _left + ((_data.Length - _next) * 8);

    public bool ReadFlag() => ReadBits(1) != 0;

    /// <param name="count">0 to 32.</param>
    public uint ReadBits(int count)
    {
        ulong value = 0;
        while (count > 0)
        {
            if (_left == 0 && !TryLoad())
                return 0;
            int take = Math.Min(count, _left);
            _left -= take;
            value = (value << take) | ((_current >> _left) & ((1u << take) - 1));
            count -= take;
        }

        return (uint)value;
    }

    /// <param name="count">0 or more; may exceed 32.</param>
    public void SkipBits(int count)
    {
        for (; count > 32 && !Failed; count -= 32)
            ReadBits(32);
        if (!Failed)
            ReadBits(count);
    }

    /// <summary>Unsigned Exp-Golomb code, ue(v) of H.264 9.1 and H.265 9.2; the same code is uvlc() of AV1 4.10.3.</summary>
    public uint ReadUe()
    {
        int zeros = 0;
        while (!ReadFlag())
        {
            if (Failed || ++zeros > 31)
            {
                Failed = true;
                return 0;
            }
        }

        return (1u << zeros) - 1 + ReadBits(zeros);
    }

    /// <summary>Signed Exp-Golomb code, se(v) of H.264 9.1.1 and H.265 9.2.2.</summary>
    public int ReadSe()
    {
        uint code = ReadUe();
        return (code & 1) != 0 ? (int)(code >> 1) + 1 : -(int)(code >> 1);
    }

    /// <summary>Drops the unread bits of the current byte.</summary>
    public void Align() => _left = 0;

    private bool TryLoad()
    {
        if (_isNal && _zeros >= 2 && _next < _data.Length && _data[_next] == 3)
        {
            _next++;
            _zeros = 0;
        }

        if (Failed || _next >= _data.Length)
        {
            Failed = true;
            return false;
        }

        _current = _data[_next++];
        _zeros = _current == 0 ? _zeros + 1 : 0;
        _left = 8;
        return true;
    }
}
