using System.Diagnostics.CodeAnalysis;

namespace Millrace.Media.Codecs;

/// <summary>AV1: av1C records (AV1 Codec ISO Media File Format Binding 2.3) and temporal units.</summary>
public static class Av1
{
    private const int HeaderLength = 4;

    /// <summary>
    /// Reads an av1C. Size and frame rate are those of its sequence header OBU; an av1C may lack it, then both are 0 until
    /// <see cref="TryUpdate"/> finds one at a key frame.
    /// </summary>
    public static bool TryParseConfig(
        ReadOnlySpan<byte> av1C, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        const byte MarkerAndVersion = 0x81;
        if (av1C.Length < HeaderLength || av1C[0] != MarkerAndVersion)
        {
            error = "av1C: too short, or its version is not 1";
            return false;
        }

        Av1SequenceHeader sequence = default;
        var reader = new ObuReader(av1C[HeaderLength..]);
        while (reader.TryRead(out ObuType type, out ReadOnlySpan<byte> payload, out _))
        {
            if (type == ObuType.SequenceHeader && !Av1SequenceHeader.TryParse(payload, out sequence))
            {
                error = "av1C: malformed sequence header";
                return false;
            }
        }

        if (reader.IsMalformed)
        {
            error = "av1C: malformed OBU";
            return false;
        }

        int depth = (av1C[2] & 0x40) == 0 ? 8 : (av1C[2] & 0x20) == 0 ? 10 : 12;
        char tier = (av1C[2] & 0x80) == 0 ? 'M' : 'H';
        error = null;
        config = new Config
        {
            Codec = Codec.Av1,
            InitData = av1C.ToArray(),
            CodecString = $"av01.{av1C[1] >> 5}.{av1C[1] & 0x1F:D2}{tier}.{depth:D2}",
            Width = sequence.Width,
            Height = sequence.Height,
            FrameRate = sequence.FrameRate,
        };
        return true;
    }

    /// <summary>Makes an av1C of one sequence header OBU (with its OBU header and size field), and its Config.</summary>
    public static bool TryBuildConfig(
        ReadOnlySpan<byte> sequenceHeaderObu, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        var reader = new ObuReader(sequenceHeaderObu);
        if (!reader.TryRead(out ObuType type, out ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> unit)
            || type != ObuType.SequenceHeader || !Av1SequenceHeader.TryParse(payload, out Av1SequenceHeader sequence))
        {
            error = "no sequence header OBU, or a malformed one";
            return false;
        }

        byte[] av1C = new byte[HeaderLength + unit.Length];
        av1C[0] = 0x81;
        av1C[1] = (byte)((sequence.Profile << 5) | sequence.Level);
        av1C[2] = sequence.FlagsOfRecord;
        unit.CopyTo(av1C.AsSpan(HeaderLength));
        return TryParseConfig(av1C, out config, out error);
    }

    /// <summary>
    /// True when the temporal unit has a sequence header that <paramref name="current"/> does not hold (or it is null): the new Config
    /// is to be announced. False with <paramref name="error"/> null when nothing changed; that path allocates nothing.
    /// </summary>
    public static bool TryUpdate(
        Config? current, ReadOnlySpan<byte> temporalUnit, [NotNullWhen(true)] out Config? changed, out string? error)
    {
        changed = null;
        error = null;
        var reader = new ObuReader(temporalUnit);
        while (reader.TryRead(out ObuType type, out _, out ReadOnlySpan<byte> unit))
        {
            if (type == ObuType.SequenceHeader)
                return (current is null || current.InitData.Span.IndexOf(unit) < 0) && TryBuildConfig(unit, out changed, out error);
        }

        return false;
    }

    /// <summary>
    /// The temporal unit without the delimiter that some senders leave in front of it: neither FLV nor ISO BMFF carries one
    /// (AV1-ISOBMFF 2.4).
    /// </summary>
    public static ReadOnlySpan<byte> WithoutDelimiter(ReadOnlySpan<byte> temporalUnit)
    {
        var reader = new ObuReader(temporalUnit);
        return reader.TryRead(out ObuType type, out _, out ReadOnlySpan<byte> unit) && type == ObuType.TemporalDelimiter
            ? temporalUnit[unit.Length..]
            : temporalUnit;
    }

    /// <summary>
    /// The temporal unit has a shown key frame that is coded here (not one shown again): a decoder can start with it and the sequence header.
    /// </summary>
    public static bool IsKey(ReadOnlySpan<byte> temporalUnit)
    {
        // show_existing_frame, frame_type (2 bits, 0 = key), show_frame (5.9.2).
        const byte First4Bits = 0xF0, ShownKeyFrame = 0x10;
        bool isStill = false;
        var reader = new ObuReader(temporalUnit);
        while (reader.TryRead(out ObuType type, out ReadOnlySpan<byte> payload, out _))
        {
            if (type == ObuType.SequenceHeader)
                isStill = Av1SequenceHeader.TryParse(payload, out Av1SequenceHeader sequence) && sequence.IsReduced;
            else if (type is ObuType.Frame or ObuType.FrameHeader)
                return isStill || (!payload.IsEmpty && (payload[0] & First4Bits) == ShownKeyFrame);
        }

        return false;
    }
}
