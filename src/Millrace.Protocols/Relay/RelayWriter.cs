using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Millrace.Protocols.Relay;

/// <summary>Writes the fields of a payload (<see cref="RelayMessageType"/>).</summary>
internal readonly struct RelayWriter(IBufferWriter<byte> output)
{
    /// <summary>Of a varint of 64 bits.</summary>
    public const int MaxVarint = 10;

    /// <summary>Shortest payload of a message that is as long as <see cref="RelayRules.WakeBytes"/>, bytes.</summary>
    public const int FilledPayload = RelayRules.WakeBytes - 2;

    /// <summary>Bytes of a varint.</summary>
    public static int LengthOf(ulong value)
    {
        var length = 1;
        while ((value >>= 7) != 0)
            length++;
        return length;
    }

    /// <summary>Writes a varint and returns its length.</summary>
    public static int Write(Span<byte> target, ulong value)
    {
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            target[length++] = (byte)(value | 0x80);
        target[length++] = (byte)value;
        return length;
    }

    /// <summary>Small numbers of either sign become small ones without.</summary>
    public static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    public void Byte(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void Number(ulong value) => output.Advance(Write(output.GetSpan(MaxVarint), value));

    public void Number(long value) => Number((ulong)value);

    public void Signed(long value) => Number(ZigZag(value));

    public void Fixed(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(sizeof(long)), value);
        output.Advance(sizeof(long));
    }

    public void Real(double value) => Fixed(BitConverter.DoubleToInt64Bits(value));

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Number((ulong)value.Length);
        output.Write(value);
    }

    public void Text(string value)
    {
        Number((ulong)Encoding.UTF8.GetByteCount(value));
        output.Advance(Encoding.UTF8.GetBytes(value, output.GetSpan(Encoding.UTF8.GetMaxByteCount(value.Length))));
    }

    /// <summary>Writes a whole message whose payload is ready.</summary>
    public static void Message(IBufferWriter<byte> output, RelayMessageType type, ReadOnlySpan<byte> payload)
    {
        output.Advance(RelayFrame.WriteHeader(output.GetSpan(RelayFrame.MaxHeader), type, payload.Length));
        output.Write(payload);
    }
}
