using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Millrace.Media.Codecs;

/// <summary>AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1).</summary>
internal static class H264Record
{
    /// <summary>Bytes in front of the number of SPS.</summary>
    public const int HeaderLength = 5;

    private const int MaxSps = 31;

    /// <param name="sets">SPS and PPS, none empty or longer than 65,535 bytes, fewer than 256.</param>
    /// <param name="lengthSize">Bytes of the length prefixes in the access units.</param>
    public static bool TryWrite(
        List<byte[]> sets, int lengthSize, [NotNullWhen(true)] out byte[]? record, [NotNullWhen(false)] out string? error)
    {
        record = null;
        byte[]? first = sets.Find(static set => H264.TypeOf(set[0]) == H264Nal.Sps);
        if (first is null || !H264Sps.TryParse(first, out H264Sps sps))
        {
            error = "no SPS, or a malformed one";
            return false;
        }

        if (Count(sets, H264Nal.Sps) > MaxSps)
        {
            error = $"more than {MaxSps} SPS";
            return false;
        }

        var output = new List<byte> { 1, first[1], first[2], first[3], (byte)(0xFC | (lengthSize - 1)) };
        WriteSets(output, sets, H264Nal.Sps, reserved: 0xE0);
        WriteSets(output, sets, H264Nal.Pps, reserved: 0);
        if (sps.ProfileIdc is 100 or 110 or 122 or 144)
        {
            output.Add((byte)(0xFC | sps.ChromaFormat));
            output.Add((byte)(0xF8 | (sps.BitDepthLuma - 8)));
            output.Add((byte)(0xF8 | (sps.BitDepthChroma - 8)));
            output.Add(0); // no SPS extensions: auxiliary pictures are not carried
        }

        record = [.. output];
        error = null;
        return true;
    }

    private static void WriteSets(List<byte> output, List<byte[]> sets, H264Nal type, byte reserved)
    {
        Span<byte> length = stackalloc byte[2];
        output.Add((byte)(reserved | Count(sets, type)));
        foreach (byte[] set in sets)
        {
            if (H264.TypeOf(set[0]) != type)
                continue;
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)set.Length);
            output.AddRange(length);
            output.AddRange(set);
        }
    }

    private static int Count(List<byte[]> sets, H264Nal type)
    {
        int count = 0;
        foreach (byte[] set in sets)
            count += H264.TypeOf(set[0]) == type ? 1 : 0;
        return count;
    }
}
