using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Millrace.Media.Codecs;

/// <summary>nal_unit_type of HEVC (H.265 table 7-1); only those that Millrace treats specially have a name.</summary>
public enum HevcNal : byte
{
    /// <summary>BLA_W_LP, the first of the IRAP types.</summary>
    FirstIrap = 16,

    /// <summary>RSV_IRAP_VCL23, the last of the IRAP types.</summary>
    LastIrap = 23,
    Vps = 32,
    Sps = 33,
    Pps = 34,
    Delimiter = 35,
    PrefixSei = 39,
    SuffixSei = 40,
}

/// <summary>HEVC: hvcC records (ISO/IEC 14496-15 8.3.3) and NAL unit headers. See also <see cref="NalUnits"/>.</summary>
public static class Hevc
{
    /// <summary>The type of the NAL unit that begins with <paramref name="header"/> (H.265 7.3.1.2).</summary>
    public static HevcNal TypeOf(byte header) => (HevcNal)((header >> 1) & 0x3F);

    /// <summary>nuh_layer_id is 0.</summary>
    internal static bool IsBaseLayer(ReadOnlySpan<byte> nal) => nal.Length > 1 && (nal[0] & 1) == 0 && nal[1] >> 3 == 0;

    /// <summary>IDR, CRA or BLA: decoding can start here (3.69).</summary>
    public static bool IsIrap(HevcNal type) => type is >= HevcNal.FirstIrap and <= HevcNal.LastIrap;

    /// <summary>Reads an hvcC. Size and frame rate are those of the first SPS; the codec string is that of the record's header.</summary>
    public static bool TryParseConfig(
        ReadOnlySpan<byte> hvcC, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        // Early writers left the version at 0; nothing else differs.
        if (hvcC.Length < HevcRecord.HeaderLength || hvcC[0] > 1)
        {
            error = "hvcC: too short, or its version is not 1";
            return false;
        }

        int lengthSize = (hvcC[21] & 3) + 1;
        HevcSps sps = default;
        bool hasVps = false, hasSps = false, hasPps = false;
        var reader = new ParameterSetReader(Codec.Hevc, hvcC);
        while (reader.TryRead(out ReadOnlySpan<byte> nal))
        {
            HevcNal type = TypeOf(nal[0]);
            if (type == HevcNal.Sps && !hasSps && !(hasSps = HevcSps.TryParse(nal, out sps)))
            {
                error = "hvcC: malformed SPS";
                return false;
            }

            hasVps |= type == HevcNal.Vps;
            hasPps |= type == HevcNal.Pps;
        }

        error = reader.IsMalformed ? "hvcC: cut short"
            : lengthSize == 3 ? "hvcC: length prefixes of 3 bytes"
            : !hasVps || !hasSps || !hasPps ? "hvcC: without VPS, SPS or PPS"
            : null;
        if (error is not null)
            return false;

        config = new Config
        {
            Codec = Codec.Hevc,
            InitData = hvcC.ToArray(),
            CodecString = CodecStringOf(hvcC),
            Width = sps.Width,
            Height = sps.Height,
            FrameRate = sps.FrameRate,
            NalLengthSize = lengthSize,
        };
        return true;
    }

    /// <summary>
    /// Makes an hvcC with 4-byte length prefixes of one VPS, SPS and PPS (NAL units with their header, without start code), and its Config.
    /// </summary>
    public static bool TryBuildConfig(
        ReadOnlySpan<byte> vps, ReadOnlySpan<byte> sps, ReadOnlySpan<byte> pps,
        [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error) =>
        ParameterSets.TryBuild(Codec.Hevc, [vps.ToArray(), sps.ToArray(), pps.ToArray()], 4, out config, out error);

    /// <summary>ISO/IEC 14496-15 E.3: profile, compatibility flags in reverse bit order, tier and level, constraint bytes.</summary>
    private static string CodecStringOf(ReadOnlySpan<byte> hvcC)
    {
        uint flags = BinaryPrimitives.ReadUInt32BigEndian(hvcC[2..]), reversed = 0;
        for (int i = 0; i < 32; i++)
            reversed |= ((flags >> i) & 1) << (31 - i);

        var text = new StringBuilder("hvc1.");
        int space = hvcC[1] >> 6;
        if (space > 0)
            text.Append((char)('A' + space - 1));
        text.Append(CultureInfo.InvariantCulture, $"{hvcC[1] & 0x1F}.{reversed:X}.");
        text.Append((hvcC[1] & 0x20) != 0 ? 'H' : 'L').Append(hvcC[12]);
        foreach (byte constraint in hvcC[6..12].TrimEnd((byte)0))
            text.Append(CultureInfo.InvariantCulture, $".{constraint:X}");
        return text.ToString();
    }
}
