using System.Diagnostics.CodeAnalysis;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>FLAC: the STREAMINFO metadata block and frame headers (RFC 9639 8.2, 9.1).</summary>
public static class Flac
{
    private const int StreamInfoLength = 34;
    private const int BlockHeaderLength = 4;

    /// <summary>
    /// Reads STREAMINFO: alone (34 bytes), with its metadata block header, or behind the stream marker fLaC with other blocks after it, since
    /// senders differ. <see cref="Config.InitData"/> is always the 38 bytes of header and block, marked as the last one.
    /// <see cref="Config.SamplesPerFrame"/> is 0 when the block size varies.
    /// </summary>
    public static bool TryParseConfig(
        ReadOnlySpan<byte> data, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        if (data.StartsWith("fLaC"u8))
            data = data[4..];
        // The length tells the bare block from one with a header (last-block flag and type 0, 24-bit length).
        bool hasHeader = data.Length >= BlockHeaderLength + StreamInfoLength && (data[0] & 0x7F) == 0
            && data[1] == 0 && data[2] == 0 && data[3] == StreamInfoLength;
        if (hasHeader)
            data = data.Slice(BlockHeaderLength, StreamInfoLength);
        if (data.Length != StreamInfoLength)
        {
            error = "FLAC: no STREAMINFO block";
            return false;
        }

        var bits = new BitReader(data);
        int minBlock = (int)bits.ReadBits(16), maxBlock = (int)bits.ReadBits(16);
        bits.SkipBits(24 + 24); // frame sizes
        int rate = (int)bits.ReadBits(20), channels = (int)bits.ReadBits(3) + 1;
        if (rate == 0 || maxBlock < 16 || minBlock > maxBlock)
        {
            error = "FLAC: STREAMINFO without a sample rate, or with block sizes out of range";
            return false;
        }

        byte[] record = new byte[BlockHeaderLength + StreamInfoLength];
        record[0] = 0x80;
        record[3] = StreamInfoLength;
        data.CopyTo(record.AsSpan(BlockHeaderLength));
        error = null;
        config = new Config
        {
            Codec = Codec.Flac,
            InitData = record,
            CodecString = "flac",
            SampleRate = rate,
            Channels = channels,
            SamplesPerFrame = minBlock == maxBlock ? maxBlock : 0,
        };
        return true;
    }

    /// <summary>
    /// Reads a frame's header: its samples per channel, and its sample rate in Hz (0 when it leaves that to STREAMINFO). False when it is
    /// cut, a field is reserved or its CRC-8 is wrong.
    /// </summary>
    public static bool TryParseFrame(ReadOnlySpan<byte> frame, out int samples, out int sampleRate)
    {
        samples = sampleRate = 0;
        var bytes = new ByteReader(frame);
        if (!bytes.TryReadUInt16(out int sync) || sync >> 1 != 0xFFF8 >> 1
            || !bytes.TryReadByte(out byte codes) || !bytes.TryReadByte(out byte layout))
        {
            return false;
        }

        bool isReserved = layout >> 4 > 10 || (layout & 1) != 0;
        if (isReserved || !TrySkipCodedNumber(ref bytes)
            || !TryReadBlockSize(ref bytes, codes >> 4, out samples) || !TryReadRate(ref bytes, codes & 0x0F, out sampleRate))
        {
            return false;
        }

        int length = frame.Length - bytes.Rest.Length;
        return bytes.TryReadByte(out byte crc) && crc == Crc8(frame[..length]);
    }

    /// <summary>Frame or sample number, coded like UTF-8 in up to seven bytes (9.1.5).</summary>
    private static bool TrySkipCodedNumber(ref ByteReader bytes)
    {
        if (!bytes.TryReadByte(out byte first))
            return false;
        int ones = System.Numerics.BitOperations.LeadingZeroCount((uint)(byte)~first) - 24;
        return ones is not (1 or 8) && bytes.TryReadSpan(Math.Max(0, ones - 1), out _);
    }

    /// <summary>Table 14, and the uncommon sizes of 9.1.6.</summary>
    private static bool TryReadBlockSize(ref ByteReader bytes, int code, out int samples)
    {
        samples = code switch { 1 => 192, >= 2 and <= 5 => 144 << code, >= 8 => 1 << code, _ => 0 };
        if (code == 6 && bytes.TryReadByte(out byte small))
            samples = small + 1;
        else if (code == 7 && bytes.TryReadUInt16(out int large))
            samples = large + 1;
        return samples > 0;
    }

    /// <summary>Table 15, and the uncommon rates of 9.1.7.</summary>
    private static bool TryReadRate(ref ByteReader bytes, int code, out int rate)
    {
        ReadOnlySpan<int> rates = [0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
        rate = code < rates.Length ? rates[code] : 0;
        if (code < rates.Length)
            return true;
        if (code == 12 && bytes.TryReadByte(out byte kilohertz))
            rate = kilohertz * 1000;
        else if (code is 13 or 14 && bytes.TryReadUInt16(out int value))
            rate = code == 13 ? value : value * 10;
        return rate > 0;
    }

    /// <summary>Polynomial x^8 + x^2 + x + 1, from 0 (9.1.8). The header has at most 16 bytes.</summary>
    private static byte Crc8(ReadOnlySpan<byte> bytes)
    {
        int crc = 0;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int i = 0; i < 8; i++)
                crc = (crc << 1) ^ ((crc & 0x80) != 0 ? 0x107 : 0);
        }

        return (byte)crc;
    }
}
