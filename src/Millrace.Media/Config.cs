namespace Millrace.Media;

/// <summary>
/// One set of parameters of a track: what a decoder must know before the first access unit.
/// Immutable; equal when codec and <see cref="InitData"/> are equal byte for byte, and so are the facts that come from
/// the frames of codecs that describe themselves (the size of VP9; rate and channels of MP3, AC-3 and E-AC-3, and
/// <see cref="SampleEntryData"/>).
/// </summary>
public sealed class Config : IEquatable<Config>
{
    public required Codec Codec { get; init; }

    /// <summary>
    /// The decoder configuration record, in the form that ISO BMFF and Enhanced RTMP share:
    /// avcC (14496-15 5.3.3), hvcC (14496-15 8.3.3), av1C, vpcC; AudioSpecificConfig (14496-3 1.6.2.1);
    /// OpusHead (RFC 7845 5.1); for FLAC the STREAMINFO block with its 4-byte metadata block header;
    /// empty for MP3, AC-3 and E-AC-3, which describe themselves in each frame.
    /// </summary>
    public required ReadOnlyMemory<byte> InitData { get; init; }

    /// <summary>
    /// For AC-3 and E-AC-3 the body of dac3 or dec3 (ETSI TS 102 366 F.4, F.6), made from the first access unit; MP4 needs it and no
    /// other form has it. Empty for all other codecs.
    /// </summary>
    public ReadOnlyMemory<byte> SampleEntryData { get; init; }

    /// <summary>RFC 6381 form, for example <c>avc1.64001f</c>, <c>mp4a.40.2</c>, <c>opus</c>.</summary>
    public required string CodecString { get; init; }

    /// <summary>Coded picture size after cropping, in pixels; 0 for audio.</summary>
    public int Width { get; init; }

    public int Height { get; init; }

    /// <summary>Pictures per second that the bitstream declares; 0 when it declares none.</summary>
    public double FrameRate { get; init; }

    /// <summary>Bytes of each NAL unit's length prefix (1, 2 or 4); 0 where the codec has none.</summary>
    public int NalLengthSize { get; init; }

    /// <summary>Output sample rate in Hz (after SBR where it is signalled explicitly); 0 for video.</summary>
    public int SampleRate { get; init; }

    public int Channels { get; init; }

    /// <summary>Samples that one access unit holds at <see cref="SampleRate"/>; 0 when it varies (Opus).</summary>
    public int SamplesPerFrame { get; init; }

    public TrackKind Kind => CodecInfo.KindOf(Codec);

    public bool Equals(Config? other) =>
        other is not null && Codec == other.Codec && InitData.Span.SequenceEqual(other.InitData.Span)
        && SampleEntryData.Span.SequenceEqual(other.SampleEntryData.Span)
        && Width == other.Width && Height == other.Height
        && SampleRate == other.SampleRate && Channels == other.Channels;

    public override bool Equals(object? obj) => Equals(obj as Config);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Codec);
        hash.AddBytes(InitData.Span);
        hash.AddBytes(SampleEntryData.Span);
        return hash.ToHashCode();
    }
}
