using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Millrace.Bench.Rtmp;

/// <summary>The part of AMF0 that RTMP commands need (amf0-file-format-specification, 2.2 to 2.5).</summary>
internal static class Amf0
{
    public static void WriteNumber(IBufferWriter<byte> to, double value)
    {
        Span<byte> span = to.GetSpan(9);
        span[0] = 0;
        BinaryPrimitives.WriteDoubleBigEndian(span[1..], value);
        to.Advance(9);
    }

    public static void WriteString(IBufferWriter<byte> to, string value)
    {
        to.Write((ReadOnlySpan<byte>)[2]);
        WriteKey(to, value);
    }

    public static void WriteNull(IBufferWriter<byte> to) => to.Write((ReadOnlySpan<byte>)[5]);

    public static void WriteObject(IBufferWriter<byte> to, params ReadOnlySpan<(string Key, object Value)> members)
    {
        to.Write((ReadOnlySpan<byte>)[3]);
        foreach (var (key, value) in members)
        {
            WriteKey(to, key);
            switch (value)
            {
                case string text: WriteString(to, text); break;
                case bool flag: to.Write((ReadOnlySpan<byte>)[1, flag ? (byte)1 : (byte)0]); break;
                default: WriteNumber(to, Convert.ToDouble(value, null)); break;
            }
        }

        to.Write((ReadOnlySpan<byte>)[0, 0, 9]);
    }

    public static bool TryReadString(ref ReadOnlySpan<byte> from, out string value)
    {
        value = "";
        if (from.Length < 3 || from[0] != 2) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(from[1..]);
        if (from.Length < 3 + length) return false;
        value = Encoding.UTF8.GetString(from.Slice(3, length));
        from = from[(3 + length)..];
        return true;
    }

    public static bool TryReadNumber(ref ReadOnlySpan<byte> from, out double value)
    {
        value = 0;
        if (from.Length < 9 || from[0] != 0) return false;
        value = BinaryPrimitives.ReadDoubleBigEndian(from[1..]);
        from = from[9..];
        return true;
    }

    public static bool TryReadNull(ref ReadOnlySpan<byte> from)
    {
        if (from.IsEmpty || from[0] is not (5 or 6)) return false;
        from = from[1..];
        return true;
    }

    private static void WriteKey(IBufferWriter<byte> to, string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        Span<byte> span = to.GetSpan(2 + length);
        BinaryPrimitives.WriteUInt16BigEndian(span, (ushort)length);
        Encoding.UTF8.GetBytes(value, span[2..]);
        to.Advance(2 + length);
    }
}
