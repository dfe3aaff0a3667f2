using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Millrace.Media;

namespace Millrace.Protocols.Relay;

/// <summary>Reads the fields of a payload (<see cref="RelayMessageType"/>). Never throws on input: every read says whether it was there.</summary>
internal ref struct RelayReader(ReadOnlySpan<byte> data)
{
    /// <summary>A thousand years in microseconds.</summary>
    public const long MaxTime = 1L << 55;

    /// <summary>
    /// Beginning of the years 1900 and 3000, Unix time, microseconds. Calendars end at the year 9999 and throw beyond it, and from here sums of
    /// dates and of spans do not get there. A machine that has no clock says 1970, and a Timeline may have begun before it was started.
    /// </summary>
    public const long EarliestDate = -2_208_988_800_000_000, LatestDate = 32_503_680_000_000_000;

    /// <summary>The bytes not read yet.</summary>
    public ReadOnlySpan<byte> Rest { get; private set; } = data;

    public bool TryByte(out byte value)
    {
        value = Rest.IsEmpty ? (byte)0 : Rest[0];
        if (Rest.IsEmpty)
            return false;
        Rest = Rest[1..];
        return true;
    }

    public bool TryFlag(out bool value)
    {
        var read = TryByte(out var number);
        value = number == 1;
        return read && number <= 1;
    }

    public bool TryNumber(out ulong value)
    {
        value = 0;
        for (var i = 0; i < RelayWriter.MaxVarint && i < Rest.Length; i++)
        {
            // Of the tenth byte one bit is left.
            if (i == RelayWriter.MaxVarint - 1 && Rest[i] > 1)
                return false;
            value |= (ulong)(Rest[i] & 0x7F) << (7 * i);
            if ((Rest[i] & 0x80) != 0)
                continue;
            Rest = Rest[(i + 1)..];
            return true;
        }

        return false;
    }

    /// <summary>A number from 0 to <paramref name="limit"/>.</summary>
    public bool TryNumber(long limit, out long value)
    {
        var read = TryNumber(out var number);
        value = (long)number;
        return read && number <= (ulong)limit;
    }

    /// <summary>A number from 0 to <paramref name="limit"/>.</summary>
    public bool TryNumber(int limit, out int value)
    {
        var read = TryNumber((long)limit, out var number);
        value = (int)number;
        return read;
    }

    public bool TrySigned(out long value)
    {
        var read = TryNumber(out var number);
        value = (long)(number >> 1) ^ -(long)(number & 1);
        return read;
    }

    /// <summary>A time, whatever its unit: sums of a few, in microseconds, overflow nothing.</summary>
    public bool TryTime(out long value) => TrySigned(out value) && value is >= -MaxTime and <= MaxTime;

    /// <summary>Unix time, microseconds, from <see cref="EarliestDate"/> to <see cref="LatestDate"/>.</summary>
    public bool TryDate(out long value) => TrySigned(out value) && IsDate(value);

    /// <summary>The same in eight bytes.</summary>
    public bool TryFixedDate(out long value) => TryFixed(out value) && IsDate(value);

    public bool TryFixed(out long value)
    {
        value = 0;
        if (!TrySpan(sizeof(long), out var bytes))
            return false;
        value = BinaryPrimitives.ReadInt64BigEndian(bytes);
        return true;
    }

    public bool TryReal(out double value)
    {
        var read = TryFixed(out var bits);
        value = BitConverter.Int64BitsToDouble(bits);
        return read && double.IsFinite(value);
    }

    /// <summary>Bytes behind their length, which is at most <paramref name="limit"/>.</summary>
    public bool TryBytes(int limit, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return TryNumber(limit, out int length) && TrySpan(length, out bytes);
    }

    /// <summary>A text of at most <paramref name="limit"/> bytes.</summary>
    public bool TryText(int limit, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (!TryBytes(limit, out var bytes))
            return false;
        text = Encoding.UTF8.GetString(bytes);
        return true;
    }

    /// <summary>What people read, of at most <see cref="RelayText.MaxNote"/> bytes; see <see cref="PlainText"/>.</summary>
    public bool TryNote([NotNullWhen(true)] out string? text)
    {
        if (!TryText(RelayText.MaxNote, out text))
            return false;
        text = PlainText.Clean(text, RelayText.MaxNote);
        return true;
    }

    public bool TrySpan(int length, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if ((uint)length > (uint)Rest.Length)
            return false;
        bytes = Rest[..length];
        Rest = Rest[length..];
        return true;
    }

    private static bool IsDate(long value) => value is >= EarliestDate and <= LatestDate;
}
