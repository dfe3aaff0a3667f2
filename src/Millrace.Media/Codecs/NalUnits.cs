using System.Buffers;
using System.Buffers.Binary;

namespace Millrace.Media.Codecs;

/// <summary>What one access unit of H.264 or HEVC holds besides its slices.</summary>
/// <param name="IsValid">The length prefixes were in order.</param>
/// <param name="IsKey">It holds a slice of an IDR picture (H.264) or of any IRAP picture (HEVC).</param>
/// <param name="HasParameterSets">It holds a VPS, SPS or PPS.</param>
/// <param name="HasDelimiter">It holds an access unit delimiter.</param>
public readonly record struct NalSummary(bool IsValid, bool IsKey, bool HasParameterSets, bool HasDelimiter)
{
    /// <summary>The log holds neither parameter sets nor delimiters: <see cref="NalUnits.TryStrip"/> has work to do.</summary>
    public bool NeedsStrip => HasParameterSets || HasDelimiter;
}

/// <summary>Access units of H.264 and HEVC in length-prefixed form.</summary>
public static class NalUnits
{
    /// <summary>Looks at the header of every NAL unit; allocates nothing. <paramref name="codec"/> is H264 or Hevc.</summary>
    public static NalSummary Inspect(Codec codec, ReadOnlySpan<byte> accessUnit, int lengthSize)
    {
        bool isKey = false, hasSets = false, hasDelimiter = false;
        var reader = new NalReader(accessUnit, lengthSize);
        while (reader.TryRead(out ReadOnlySpan<byte> nal))
        {
            isKey |= IsKey(codec, nal);
            hasSets |= IsParameterSet(codec, nal);
            hasDelimiter |= IsDelimiter(codec, nal);
        }

        return new NalSummary(!reader.IsMalformed, isKey, hasSets, hasDelimiter);
    }

    /// <summary>
    /// Appends the access unit without parameter sets and delimiters, with the same length prefixes. False when it is malformed;
    /// what was appended until then must be thrown away. Take the parameter sets first (<see cref="ParameterSets.TryUpdate"/>).
    /// </summary>
    public static bool TryStrip(Codec codec, ReadOnlySpan<byte> accessUnit, int lengthSize, IBufferWriter<byte> output)
    {
        var reader = new NalReader(accessUnit, lengthSize);
        Span<byte> prefix = stackalloc byte[4];
        while (reader.TryRead(out ReadOnlySpan<byte> nal))
        {
            if (IsParameterSet(codec, nal) || IsDelimiter(codec, nal))
                continue;
            BinaryPrimitives.WriteUInt32BigEndian(prefix, (uint)nal.Length);
            output.Write(prefix[(4 - lengthSize)..]);
            output.Write(nal);
        }

        return !reader.IsMalformed;
    }

    /// <summary>HEVC: of the base layer; sets of other layers (MV-HEVC, SHVC) have ids of their own and stay with their pictures.</summary>
    /// <param name="codec">H264 or Hevc.</param>
    /// <param name="nal">A NAL unit with its header; not empty.</param>
    internal static bool IsParameterSet(Codec codec, ReadOnlySpan<byte> nal) => codec == Codec.Hevc
        ? Hevc.TypeOf(nal[0]) is HevcNal.Vps or HevcNal.Sps or HevcNal.Pps && Hevc.IsBaseLayer(nal)
        : H264.TypeOf(nal[0]) is H264Nal.Sps or H264Nal.Pps;

    private static bool IsKey(Codec codec, ReadOnlySpan<byte> nal) => codec == Codec.Hevc
        ? Hevc.IsIrap(Hevc.TypeOf(nal[0]))
        : H264.TypeOf(nal[0]) == H264Nal.Idr;

    private static bool IsDelimiter(Codec codec, ReadOnlySpan<byte> nal) => codec == Codec.Hevc
        ? Hevc.TypeOf(nal[0]) == HevcNal.Delimiter
        : H264.TypeOf(nal[0]) == H264Nal.Delimiter;
}
