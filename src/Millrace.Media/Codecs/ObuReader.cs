namespace Millrace.Media.Codecs;

/// <summary>obu_type (AV1 6.2.2).</summary>
public enum ObuType : byte
{
    SequenceHeader = 1,
    TemporalDelimiter = 2,
    FrameHeader = 3,
    TileGroup = 4,
    Metadata = 5,
    Frame = 6,
    RedundantFrameHeader = 7,
    TileList = 8,
    Padding = 15,
}

/// <summary>Walks the open bitstream units of a temporal unit in the low-overhead format (AV1 5.2), as FLV, MP4 and the log hold them.</summary>
public ref struct ObuReader(ReadOnlySpan<byte> temporalUnit)
{
    private ReadOnlySpan<byte> _rest = temporalUnit;

    /// <summary>A header or size was cut, or a size went past the end.</summary>
    public bool IsMalformed { get; private set; }

    /// <param name="type">Its type.</param>
    /// <param name="payload">Behind header and size.</param>
    /// <param name="unit">The whole unit, from its header on.</param>
    public bool TryRead(out ObuType type, out ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> unit)
    {
        type = default;
        payload = unit = default;
        if (_rest.IsEmpty || IsMalformed)
            return false;

        byte header = _rest[0];
        int headerLength = (header & 0x04) != 0 ? 2 : 1;
        bool isForbidden = (header & 0x80) != 0;
        if (isForbidden || _rest.Length < headerLength)
            return Fail();

        ReadOnlySpan<byte> body = _rest[headerLength..];
        long size = body.Length;
        int sizeLength = 0;
        bool hasSize = (header & 0x02) != 0;
        if (hasSize && !TryReadLeb128(body, out size, out sizeLength))
            return Fail();
        body = body[sizeLength..];
        if (size > body.Length)
            return Fail();

        type = (ObuType)((header >> 3) & 0x0F);
        payload = body[..(int)size];
        unit = _rest[..(headerLength + sizeLength + (int)size)];
        _rest = _rest[unit.Length..];
        return true;
    }

    /// <summary>leb128() of AV1 4.10.5: at most 8 bytes, of a value below 2^32.</summary>
    private static bool TryReadLeb128(ReadOnlySpan<byte> bytes, out long value, out int length)
    {
        value = 0;
        for (length = 0; length < Math.Min(8, bytes.Length); length++)
        {
            value |= (long)(bytes[length] & 0x7F) << (7 * length);
            if ((bytes[length] & 0x80) == 0)
            {
                length++;
                return value <= uint.MaxValue;
            }
        }

        return false;
    }

    private bool Fail()
    {
        IsMalformed = true;
        return false;
    }
}
