namespace Millrace.Media.Codecs;

/// <summary>
/// Walks the length-prefixed NAL units of one access unit (ISO/IEC 14496-15 4.3.3), as FLV, MP4 and the stream log hold them.
/// Empty units are passed over.
/// </summary>
/// <param name="accessUnit">The whole access unit.</param>
/// <param name="lengthSize">Bytes of each length prefix, 1 to 4 (<see cref="Config.NalLengthSize"/>).</param>
public ref struct NalReader(ReadOnlySpan<byte> accessUnit, int lengthSize)
{
    /// <summary>More units than this in one access unit are refused; 8K pictures of many slices stay far below.</summary>
    public const int MaxNalUnits = 4096;

    private readonly int _lengthSize = lengthSize;
    private ReadOnlySpan<byte> _rest = accessUnit;
    private int _count;

    /// <summary>A length prefix was cut, or went past the end, or there were too many units.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>False at the end, and from then on.</summary>
    public bool TryRead(out ReadOnlySpan<byte> nal)
    {
        nal = default;
        while (!_rest.IsEmpty && !IsMalformed)
        {
            if (_lengthSize is < 1 or > 4 || _rest.Length < _lengthSize || ++_count > MaxNalUnits)
                return Fail();

            uint length = 0;
            for (int i = 0; i < _lengthSize; i++)
                length = (length << 8) | _rest[i];
            _rest = _rest[_lengthSize..];
            if (length > (uint)_rest.Length)
                return Fail();

            nal = _rest[..(int)length];
            _rest = _rest[(int)length..];
            if (length > 0)
                return true;
        }

        return false;
    }

    private bool Fail()
    {
        IsMalformed = true;
        return false;
    }
}
