using System.Buffers.Binary;
using Millrace.Media.Codecs;

namespace Millrace.Media.MpegTs;

/// <summary>The programme-specific information of one programme (ISO/IEC 13818-1 2.4.4), as payloads of whole packets.</summary>
internal static class TsTables
{
    public const int PatPid = 0, PmtPid = 0x1000;

    private const int Programme = 1, MaxSectionLength = 1021, CrcLength = 4;

    /// <summary>program_association_section (2.4.4.3) with one programme: one packet's payload.</summary>
    public static byte[] BuildPat() => ToPayload([0, 0xB0, 0, 0, 1, 0xC1, 0, 0, 0, Programme, 0xE0 | (PmtPid >> 8), PmtPid & 0xFF]);

    /// <summary>TS_program_map_section (2.4.4.8): the payload of as many packets as it needs.</summary>
    /// <exception cref="ArgumentException">More tracks than a section holds, about 50.</exception>
    public static byte[] BuildPmt(IReadOnlyList<TsTrack> tracks, IReadOnlyList<Config> configs, IReadOnlyList<int> pids, int pcrPid)
    {
        List<byte> section =
            [2, 0xB0, 0, 0, Programme, 0xC1, 0, 0, (byte)(0xE0 | (pcrPid >> 8)), (byte)pcrPid, 0xF0, 0];
        for (int i = 0; i < tracks.Count; i++)
        {
            List<byte> descriptors = DescriptorsOf(tracks[i], configs[i]);
            section.Add(StreamTypeOf(configs[i]));
            section.AddRange([(byte)(0xE0 | (pids[i] >> 8)), (byte)pids[i], 0xF0, (byte)descriptors.Count]);
            section.AddRange(descriptors);
        }

        if (LengthOf(section) > MaxSectionLength)
            throw new ArgumentException("more tracks than a programme map section holds", nameof(tracks));
        return ToPayload(section);
    }

    /// <summary>stream_type (table 2-34); 0x81 and 0x87 are those of ATSC A/52 and A/53.</summary>
    private static byte StreamTypeOf(Config config) => config.Codec switch
    {
        Codec.H264 => 0x1B,
        Codec.Hevc => 0x24,
        Codec.Aac => 0x0F,
        // MPEG-2 audio is that with the halved sample rates.
        Codec.Mp3 => (byte)(config.SampleRate is > 0 and < 32_000 ? 0x04 : 0x03),
        Codec.Ac3 => 0x81,
        Codec.Eac3 => 0x87,
        _ => 0x06,
    };

    private static List<byte> DescriptorsOf(TsTrack track, Config config)
    {
        const byte Registration = 0x05, Language = 0x0A, Extension = 0x7F, OpusTag = 0x80;
        var descriptors = new List<byte>();
        ReadOnlySpan<byte> format = config.Codec switch
        {
            Codec.Hevc => "HEVC"u8,
            Codec.Ac3 => "AC-3"u8,
            Codec.Eac3 => "EAC3"u8,
            Codec.Opus => "Opus"u8,
            _ => default,
        };
        if (!format.IsEmpty)
            descriptors.AddRange([Registration, 4, .. format]);
        if (config.Codec == Codec.Opus)
            descriptors.AddRange([Extension, 2, OpusTag, OpusInTs.ChannelCodeOf(config)]);
        if (track.Language is { Length: 3 } code && code.All(char.IsAsciiLetter))
        {
            // audio_type 0: undefined (2.6.18).
            descriptors.AddRange([Language, 4]);
            descriptors.AddRange(code.Select(static letter => (byte)char.ToLowerInvariant(letter)));
            descriptors.Add(0);
        }

        return descriptors;
    }

    /// <summary>Sets section_length, appends the CRC, puts the pointer field in front and fills the last packet (2.4.4.1).</summary>
    private static byte[] ToPayload(List<byte> section)
    {
        int length = LengthOf(section);
        section[1] |= (byte)(length >> 8);
        section[2] = (byte)length;

        int size = 1 + section.Count + CrcLength;
        byte[] payload = new byte[(size + TsPacket.MaxPayload - 1) / TsPacket.MaxPayload * TsPacket.MaxPayload];
        payload.AsSpan(size).Fill(0xFF);
        section.CopyTo(payload, 1);
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(size - CrcLength), Crc(payload.AsSpan(1, section.Count)));
        return payload;
    }

    /// <summary>section_length: what follows that field, with the CRC to come.</summary>
    private static int LengthOf(List<byte> section) => section.Count - 3 + CrcLength;

    /// <summary>CRC-32 of annex A: polynomial 0x04C11DB7, all ones at the start, most significant bit first, not inverted.</summary>
    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= (uint)value << 24;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc << 1) ^ ((crc >> 31) * 0x04C11DB7);
        }

        return crc;
    }
}
