using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Millrace.Media.Codecs;

/// <summary>HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.3.1).</summary>
internal static class HevcRecord
{
    /// <summary>Bytes up to and with numOfArrays.</summary>
    public const int HeaderLength = 23;

    /// <param name="sets">VPS, SPS, PPS and perhaps SEI of the whole stream; none empty or longer than 65,535 bytes.</param>
    /// <param name="lengthSize">Bytes of the length prefixes in the access units.</param>
    public static bool TryWrite(
        List<byte[]> sets, int lengthSize, [NotNullWhen(true)] out byte[]? record, [NotNullWhen(false)] out string? error)
    {
        record = null;
        byte[]? first = sets.Find(static set => Hevc.TypeOf(set[0]) == HevcNal.Sps);
        if (first is null || !HevcSps.TryParse(first, out HevcSps sps))
        {
            error = "no SPS, or a malformed one";
            return false;
        }

        var output = new List<byte>(HeaderLength) { 1 };
        output.AddRange(sps.ProfileTierLevel);
        output.AddRange([0xF0, 0]); // min_spatial_segmentation_idc: unknown
        output.Add(0xFC); // parallelismType: unknown
        output.Add((byte)(0xFC | sps.ChromaFormat));
        output.Add((byte)(0xF8 | (sps.BitDepthLuma - 8)));
        output.Add((byte)(0xF8 | (sps.BitDepthChroma - 8)));
        output.AddRange([0, 0]); // avgFrameRate: unspecified
        output.Add((byte)((sps.SubLayers << 3) | (sps.IsNested ? 4 : 0) | (lengthSize - 1)));
        output.Add(0); // numOfArrays, below
        ReadOnlySpan<HevcNal> kinds = [HevcNal.Vps, HevcNal.Sps, HevcNal.Pps, HevcNal.PrefixSei, HevcNal.SuffixSei];
        foreach (HevcNal kind in kinds)
            WriteArray(output, sets, kind);
        record = [.. output];
        error = null;
        return true;
    }

    private static void WriteArray(List<byte> output, List<byte[]> sets, HevcNal kind)
    {
        int count = 0;
        foreach (byte[] set in sets)
            count += Hevc.TypeOf(set[0]) == kind ? 1 : 0;
        if (count == 0)
            return;

        // array_completeness: with sample entry hvc1 the parameter sets are here only; of SEI there may be more in-band.
        bool isComplete = kind is HevcNal.Vps or HevcNal.Sps or HevcNal.Pps;
        Span<byte> number = stackalloc byte[2];
        output[HeaderLength - 1]++;
        output.Add((byte)((isComplete ? 0x80 : 0) | (int)kind));
        BinaryPrimitives.WriteUInt16BigEndian(number, (ushort)count);
        output.AddRange(number);
        foreach (byte[] set in sets)
        {
            if (Hevc.TypeOf(set[0]) != kind)
                continue;
            BinaryPrimitives.WriteUInt16BigEndian(number, (ushort)set.Length);
            output.AddRange(number);
            output.AddRange(set);
        }
    }
}
