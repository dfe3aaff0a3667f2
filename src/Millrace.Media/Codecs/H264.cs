using System.Diagnostics.CodeAnalysis;

namespace Millrace.Media.Codecs;

/// <summary>nal_unit_type of H.264 (table 7-1); only those that Millrace treats specially have a name.</summary>
public enum H264Nal : byte
{
    Slice = 1,
    Idr = 5,
    Sei = 6,
    Sps = 7,
    Pps = 8,
    Delimiter = 9,
    SpsExtension = 13,
}

/// <summary>H.264 / AVC: avcC records (ISO/IEC 14496-15 5.3.3) and NAL unit headers. See also <see cref="NalUnits"/>.</summary>
public static class H264
{
    /// <summary>The type of the NAL unit that begins with <paramref name="header"/> (7.3.1).</summary>
    public static H264Nal TypeOf(byte header) => (H264Nal)(header & 0x1F);

    /// <summary>
    /// Reads an avcC. Size and frame rate are those of the first SPS; the codec string is that of the record's header.
    /// </summary>
    public static bool TryParseConfig(
        ReadOnlySpan<byte> avcC, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        if (avcC.Length < H264Record.HeaderLength + 1 || avcC[0] != 1)
        {
            error = "avcC: too short, or its version is not 1";
            return false;
        }

        int lengthSize = (avcC[4] & 3) + 1;
        H264Sps sps = default;
        bool hasSps = false, hasPps = false;
        var reader = new ParameterSetReader(Codec.H264, avcC);
        while (reader.TryRead(out ReadOnlySpan<byte> nal))
        {
            H264Nal type = TypeOf(nal[0]);
            if (type == H264Nal.Sps && !hasSps && !(hasSps = H264Sps.TryParse(nal, out sps)))
            {
                error = "avcC: malformed SPS";
                return false;
            }

            hasPps |= type == H264Nal.Pps;
        }

        error = reader.IsMalformed ? "avcC: cut short"
            : lengthSize == 3 ? "avcC: length prefixes of 3 bytes"
            : !hasSps || !hasPps ? "avcC: without SPS or PPS"
            : null;
        if (error is not null)
            return false;

        config = new Config
        {
            Codec = Codec.H264,
            InitData = avcC.ToArray(),
            CodecString = $"avc1.{avcC[1]:x2}{avcC[2]:x2}{avcC[3]:x2}",
            Width = sps.Width,
            Height = sps.Height,
            FrameRate = sps.FrameRate,
            NalLengthSize = lengthSize,
        };
        return true;
    }

    /// <summary>
    /// Makes an avcC with 4-byte length prefixes of one SPS and one PPS (NAL units with their header byte, without start code), and its Config.
    /// </summary>
    public static bool TryBuildConfig(
        ReadOnlySpan<byte> sps, ReadOnlySpan<byte> pps,
        [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error) =>
        ParameterSets.TryBuild(Codec.H264, [sps.ToArray(), pps.ToArray()], 4, out config, out error);
}
