using System.Buffers.Binary;

namespace Millrace.Media.Tests.MpegTs;

/// <summary>One transport packet as a receiver sees it.</summary>
/// <param name="FieldLength">Bytes of the adaptation field with its length byte; 0 without one.</param>
/// <param name="Pcr">In 27 MHz ticks.</param>
internal sealed record TsPacketSeen(
    int Pid, bool IsStart, int Counter, int FieldLength, bool IsRandomAccess, long? Pcr, byte[] Payload)
{
    public bool HasPayload => Payload.Length > 0;
}

/// <summary>One PES packet, put together again.</summary>
/// <param name="DeclaredLength">PES_packet_length.</param>
/// <param name="HeaderInFirst">The first packet holds the whole header and some of the data.</param>
internal sealed record TsPesSeen(
    byte StreamId, int DeclaredLength, bool IsAligned, long Pts, long? Dts, bool IsRandomAccess, bool HeaderInFirst, byte[] Data);

/// <summary>One elementary stream of the programme map.</summary>
internal sealed record TsEntrySeen(int Pid, byte StreamType, string Descriptors);

/// <summary>
/// A receiver of transport streams that shares no code with the muxer and forgives nothing: every packet, table and PES header it
/// reads must be in order (ISO/IEC 13818-1 2.4).
/// </summary>
internal sealed class TsReader
{
    private const int PacketLength = 188, PmtPid = 0x1000;

    private readonly Dictionary<int, List<TsPesSeen>> _pes = [];

    public TsReader(ReadOnlySpan<byte> stream)
    {
        (stream.Length % PacketLength).ShouldBe(0);
        for (; !stream.IsEmpty; stream = stream[PacketLength..])
            Packets.Add(ReadPacket(stream[..PacketLength]));
    }

    public List<TsPacketSeen> Packets { get; } = [];

    public IEnumerable<int> Pids => Packets.Select(static packet => packet.Pid).Distinct();

    /// <summary>The packets of a PID that move its counter.</summary>
    public List<TsPacketSeen> PayloadPackets(int pid) => Packets.FindAll(packet => packet.Pid == pid && packet.HasPayload);

    /// <summary>Counters begin at <paramref name="first"/>, go up by one with each payload and rest without (2.4.3.3).</summary>
    public void ShouldBeContinuous(int first = 0)
    {
        foreach (int pid in Pids)
        {
            int next = first;
            foreach (TsPacketSeen packet in Packets.Where(packet => packet.Pid == pid))
            {
                packet.Counter.ShouldBe(packet.HasPayload ? next : (next + 15) & 15, $"PID {pid:x}");
                next = (packet.Counter + 1) & 15;
            }
        }
    }

    /// <summary>What every segment promises.</summary>
    public void ShouldBeSegment()
    {
        ShouldBeContinuous();
        foreach (int pid in Pids)
            (PayloadPackets(pid).Count % 16).ShouldBe(0, $"PID {pid:x}");
        (Packets[0].Pid, Packets[1].Pid).ShouldBe((0, PmtPid));
        Pmt();
    }

    /// <summary>All repetitions of the table are the same; its streams in their order.</summary>
    public (int PcrPid, List<TsEntrySeen> Streams) Pmt()
    {
        Sections(0).Distinct().ShouldHaveSingleItem().ShouldBe("00b00d0001c100000001f0002ab104b2");
        byte[] section = Hex.Bytes(Sections(PmtPid).Distinct().ShouldHaveSingleItem());
        var streams = new List<TsEntrySeen>();
        int length;
        for (int at = 12; at < section.Length - 4; at += 5 + length)
        {
            length = BinaryPrimitives.ReadUInt16BigEndian(section.AsSpan(at + 3)) & 0xFFF;
            int pid = BinaryPrimitives.ReadUInt16BigEndian(section.AsSpan(at + 1)) & 0x1FFF;
            streams.Add(new TsEntrySeen(pid, section[at], Hex.Of(section.AsSpan(at + 5, length))));
        }

        return (BinaryPrimitives.ReadUInt16BigEndian(section.AsSpan(8)) & 0x1FFF, streams);
    }

    /// <summary>Hexadecimal, with the CRC, which is checked.</summary>
    public List<string> Sections(int pid)
    {
        var sections = new List<string>();
        foreach (byte[] bytes in Joined(pid))
        {
            bytes[0].ShouldBe((byte)0, "pointer field");
            int length = 3 + (BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2)) & 0xFFF);
            // Over a section with its own CRC the remainder is 0.
            Crc(bytes.AsSpan(1, length)).ShouldBe(0u);
            bytes.AsSpan(1 + length).IndexOfAnyExcept((byte)0xFF).ShouldBe(-1);
            sections.Add(Hex.Of(bytes.AsSpan(1, length)));
        }

        return sections;
    }

    public List<TsPesSeen> Pes(int pid)
    {
        if (_pes.TryGetValue(pid, out List<TsPesSeen>? known))
            return known;
        List<TsPacketSeen> starts = PayloadPackets(pid).FindAll(static packet => packet.IsStart);
        List<byte[]> joined = Joined(pid);
        joined.Count.ShouldBe(starts.Count);
        return _pes[pid] = [.. joined.Select((bytes, i) => ReadPes(bytes, starts[i]))];
    }

    private static TsPacketSeen ReadPacket(ReadOnlySpan<byte> packet)
    {
        packet[0].ShouldBe((byte)0x47);
        (packet[1] & 0xA0).ShouldBe(0, "error, priority");
        (packet[3] >> 6).ShouldBe(0, "scrambling");
        int control = packet[3] >> 4 & 3, field = (control & 2) == 0 ? 0 : packet[4] + 1;
        control.ShouldNotBe(0);
        field.ShouldBeLessThanOrEqualTo(control == 3 ? 183 : 184);
        if (control == 2)
            field.ShouldBe(184);
        bool isRandomAccess = false;
        long? pcr = null;
        if (field > 1)
        {
            int flags = packet[5];
            (flags & ~0x50).ShouldBe(0, "only random access and PCR are expected");
            isRandomAccess = (flags & 0x40) != 0;
            if ((flags & 0x10) != 0)
            {
                ulong bits = BinaryPrimitives.ReadUInt64BigEndian(packet[4..]) & 0xFFFF_FFFF_FFFF;
                pcr = ((long)(bits >> 15) * 300) + (long)(bits & 0x1FF);
            }

            int used = pcr is null ? 2 : 8;
            packet.Slice(4 + used, field - used).IndexOfAnyExcept((byte)0xFF).ShouldBe(-1, "stuffing");
        }

        int pid = BinaryPrimitives.ReadUInt16BigEndian(packet[1..]) & 0x1FFF;
        return new TsPacketSeen(pid, (packet[1] & 0x40) != 0, packet[3] & 15, field, isRandomAccess, pcr, packet[(4 + field)..].ToArray());
    }

    /// <summary>The payloads of a PID, cut where a packet says that something starts.</summary>
    private List<byte[]> Joined(int pid)
    {
        var all = new List<List<byte>>();
        foreach (TsPacketSeen packet in PayloadPackets(pid))
        {
            if (packet.IsStart)
                all.Add([]);
            all[^1].AddRange(packet.Payload);
        }

        return all.ConvertAll(static bytes => bytes.ToArray());
    }

    private static TsPesSeen ReadPes(byte[] bytes, TsPacketSeen start)
    {
        Hex.Of(bytes.AsSpan(0, 3)).ShouldBe("000001");
        int declared = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4));
        if (declared != 0)
            declared.ShouldBe(bytes.Length - 6);
        (bytes[6] & 0xFB).ShouldBe(0x80);
        bool hasDts = bytes[7] == 0xC0;
        if (!hasDts)
            bytes[7].ShouldBe((byte)0x80);
        int times = hasDts ? 10 : 5, header = 9 + bytes[8];
        bytes.AsSpan(9 + times, bytes[8] - times).IndexOfAnyExcept((byte)0xFF).ShouldBe(-1, "stuffing");
        long pts = ReadTime(bytes.AsSpan(9, 5), hasDts ? 3 : 2);
        long? dts = hasDts ? ReadTime(bytes.AsSpan(14, 5), 1) : null;
        return new TsPesSeen(
            bytes[3], declared, (bytes[6] & 4) != 0, pts, dts, start.IsRandomAccess, start.Payload.Length > header, bytes[header..]);
    }

    private static long ReadTime(ReadOnlySpan<byte> bytes, int prefix)
    {
        (bytes[0] >> 4).ShouldBe(prefix);
        (bytes[0] & bytes[2] & bytes[4] & 1).ShouldBe(1, "marker bits");
        return ((bytes[0] & 0x0EL) << 29) | ((long)bytes[1] << 22) | ((bytes[2] & 0xFEL) << 14) | ((long)bytes[3] << 7) | ((long)bytes[4] >> 1);
    }

    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            for (int bit = 7; bit >= 0; bit--)
            {
                bool carry = (crc >> 31) != (value >> bit & 1u);
                crc = (crc << 1) ^ (carry ? 0x04C11DB7u : 0);
            }
        }

        return crc;
    }
}
