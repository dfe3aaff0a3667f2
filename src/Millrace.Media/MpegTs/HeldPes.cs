using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Millrace.Media.MpegTs;

/// <summary>A PES packet (ISO/IEC 13818-1 2.4.3.6) whose bytes wait in its stream's buffer.</summary>
/// <param name="Dts">90 kHz, without the muxer's offset and not yet cut to 33 bits.</param>
/// <param name="IsKey">Decoding can start here.</param>
/// <param name="HasPcr">Its first packet carries the programme's clock.</param>
/// <param name="HeaderLength">Bytes up to the elementary stream's.</param>
[StructLayout(LayoutKind.Auto)]
internal record struct HeldPes(long Dts, bool IsKey, bool HasPcr, int HeaderLength)
{
    public const int MaxHeaderLength = 9 + 10 + 1;

    /// <summary>Bytes with the header.</summary>
    public int Length { get; set; }

    /// <summary>Packets beyond those it needs, over which it is stretched.</summary>
    public int Stretch { get; set; }

    /// <summary>Packets when each is filled.</summary>
    public readonly int Packets
    {
        get
        {
            int rest = Length - FirstCapacity;
            return rest <= 0 ? 1 : 1 + ((rest + TsPacket.MaxPayload - 1) / TsPacket.MaxPayload);
        }
    }

    /// <summary>Bytes that the first packet holds beside its adaptation field.</summary>
    public readonly int FirstCapacity => TsPacket.MaxPayload - (HasPcr ? TsPacket.PcrField : IsKey ? TsPacket.FlagsField : 0);

    /// <summary>
    /// Packets it can be stretched by: each holds a byte at least, and the first the header with a byte, since some receivers
    /// read the header of one packet only.
    /// </summary>
    public readonly int Spare => Length - HeaderLength - Packets;

    /// <summary>The same with a divided header, which the standard allows.</summary>
    public readonly int SpareWithHeader => Length - Packets;

    /// <summary>
    /// Writes the header without its length.
    /// A stuffing byte makes one with a single byte of payload long enough to fill 16 packets if it must.
    /// </summary>
    /// <param name="target">At least <see cref="MaxHeaderLength"/> bytes.</param>
    /// <param name="streamId">Table 2-22.</param>
    /// <param name="dts">With the muxer's offset.</param>
    /// <param name="pts">With the muxer's offset.</param>
    /// <param name="isTiny">The payload has one byte.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteHeader(Span<byte> target, byte streamId, long dts, long pts, bool isTiny)
    {
        const byte Marker = 0x80, Aligned = 0x04, HasPts = 0x80, HasBoth = 0xC0;
        bool hasDts = ((dts ^ pts) & TsPacket.ClockMask) != 0;
        int times = hasDts ? 10 : 5, stuffing = isTiny ? 1 : 0;
        target[..6].Clear();
        target[2] = 1;
        target[3] = streamId;
        target[6] = Marker | Aligned;
        target[7] = hasDts ? HasBoth : HasPts;
        target[8] = (byte)(times + stuffing);
        WriteTime(target[9..], hasDts ? 3 : 2, pts);
        if (hasDts)
            WriteTime(target[14..], 1, dts);
        target.Slice(9 + times, stuffing).Fill(0xFF);
        return 9 + times + stuffing;
    }

    /// <summary>PES_packet_length counts what follows it; 0 where it has no room for that: longer pictures (2.4.3.7).</summary>
    public readonly void WriteLength(Span<byte> header)
    {
        const int LengthEnd = 6;
        int length = Length - LengthEnd;
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)(length > ushort.MaxValue ? 0 : length));
    }

    private static void WriteTime(Span<byte> target, int prefix, long time)
    {
        time &= TsPacket.ClockMask;
        target[0] = (byte)((prefix << 4) | (int)(time >> 29 & 0x0E) | 1);
        BinaryPrimitives.WriteUInt16BigEndian(target[1..], (ushort)((time >> 14) | 1));
        BinaryPrimitives.WriteUInt16BigEndian(target[3..], (ushort)((time << 1) | 1));
    }
}
