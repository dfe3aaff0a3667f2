using System.Buffers;

namespace Millrace.Media.MpegTs;

/// <summary>One transport packet (ISO/IEC 13818-1 2.4.3.2).</summary>
internal static class TsPacket
{
    public const int Length = 188;

    /// <summary>Bytes behind the 4-byte header.</summary>
    public const int MaxPayload = 184;

    /// <summary>Bytes of an adaptation field with flags only, and with a PCR (2.4.3.4).</summary>
    public const int FlagsField = 2, PcrField = 8;

    /// <summary>Timestamps and the PCR base have 33 bits.</summary>
    public const long ClockMask = (1L << 33) - 1;

    private const byte RandomAccess = 0x40, HasPcr = 0x10;

    /// <summary>
    /// Writes one packet; an adaptation field fills what the payload leaves free.
    /// </summary>
    /// <param name="output">Gets 188 bytes.</param>
    /// <param name="pid">13 bits.</param>
    /// <param name="counter">The continuity counter; its low 4 bits count.</param>
    /// <param name="isStart">The payload begins with a PES packet or a pointer field.</param>
    /// <param name="isRandomAccess">Decoding can start with what begins here.</param>
    /// <param name="pcr">90 kHz, any width; null for none.</param>
    /// <param name="payload">At most 184 bytes, less the fields asked for; empty for a packet that only carries a PCR.</param>
    public static void Write(
        IBufferWriter<byte> output, int pid, int counter, bool isStart, bool isRandomAccess, long? pcr, ReadOnlySpan<byte> payload)
    {
        Span<byte> packet = output.GetSpan(Length)[..Length];
        int field = MaxPayload - payload.Length;
        int control = (payload.IsEmpty ? 0 : 0x10) | (field > 0 ? 0x20 : 0);
        packet[0] = 0x47;
        packet[1] = (byte)((isStart ? 0x40 : 0) | (pid >> 8));
        packet[2] = (byte)pid;
        packet[3] = (byte)(control | (counter & 15));
        if (field > 0)
            WriteField(packet.Slice(4, field), isRandomAccess, pcr);
        payload.CopyTo(packet[(4 + field)..]);
        output.Advance(Length);
    }

    private static void WriteField(Span<byte> field, bool isRandomAccess, long? pcr)
    {
        field[0] = (byte)(field.Length - 1);
        if (field.Length < FlagsField)
            return;
        field[1] = (byte)((isRandomAccess ? RandomAccess : 0) | (pcr is null ? 0 : HasPcr));
        int used = FlagsField;
        if (pcr is { } value)
        {
            // 33 bits of base, 6 reserved, 9 of extension: 27 MHz ticks below one of 90 kHz, always 0 here.
            long clock = value & ClockMask;
            field[2] = (byte)(clock >> 25);
            field[3] = (byte)(clock >> 17);
            field[4] = (byte)(clock >> 9);
            field[5] = (byte)(clock >> 1);
            field[6] = (byte)((clock << 7) | 0x7E);
            field[7] = 0;
            used = PcrField;
        }

        field[used..].Fill(0xFF);
    }
}
