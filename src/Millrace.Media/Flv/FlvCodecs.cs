namespace Millrace.Media.Flv;

/// <summary>The numbers of FLV v10.1 (annex E.4) and Enhanced RTMP v2, each in one place.</summary>
internal static class FlvCodecs
{
    // SoundFormat, E.4.2.1.
    public const int Mp3Id = 2, ExAudioId = 9, AacId = 10, Mp3At8KhzId = 14;

    // CodecID, E.4.3.1; HEVC's is not Adobe's but the one in use before FourCCs.
    public const int H264Id = 7, HevcId = 12;

    // FrameType.
    public const int KeyFrame = 1, InterFrame = 2, DisposableFrame = 3, GeneratedKeyFrame = 4, CommandFrame = 5;

    // VideoPacketType and AudioPacketType; what both have, has the same number.
    public const int SequenceStart = 0, CodedFrames = 1, SequenceEnd = 2, ModEx = 7;
    public const int VideoCodedFramesX = 3, VideoMetadata = 4, VideoMpeg2TsSequenceStart = 5, VideoMultitrack = 6;
    public const int AudioMultichannelConfig = 4, AudioMultitrack = 5;

    // AvMultitrackType.
    public const int OneTrack = 0, ManyTracks = 1, ManyTracksManyCodecs = 2;

    /// <summary>None when Millrace does not carry the codec.</summary>
    public static Codec FromFourCc(uint fourCc) => fourCc switch
    {
        FourCc.Avc1 => Codec.H264,
        FourCc.Hvc1 => Codec.Hevc,
        FourCc.Av01 => Codec.Av1,
        FourCc.Vp09 => Codec.Vp9,
        FourCc.Mp4a => Codec.Aac,
        FourCc.Mp3 => Codec.Mp3,
        FourCc.Opus => Codec.Opus,
        FourCc.Ac3 => Codec.Ac3,
        FourCc.Eac3 => Codec.Eac3,
        FourCc.Flac => Codec.Flac,
        _ => Codec.None,
    };

    /// <summary>0 for Amf and None.</summary>
    public static uint ToFourCc(Codec codec) => codec switch
    {
        Codec.H264 => FourCc.Avc1,
        Codec.Hevc => FourCc.Hvc1,
        Codec.Av1 => FourCc.Av01,
        Codec.Vp9 => FourCc.Vp09,
        Codec.Aac => FourCc.Mp4a,
        Codec.Mp3 => FourCc.Mp3,
        Codec.Opus => FourCc.Opus,
        Codec.Ac3 => FourCc.Ac3,
        Codec.Eac3 => FourCc.Eac3,
        Codec.Flac => FourCc.Flac,
        _ => 0,
    };

    /// <summary>Coded frames of these begin with a 24-bit composition time.</summary>
    public static bool HasCompositionTime(Codec codec) => codec is Codec.H264 or Codec.Hevc;

    /// <summary>Big-endian character codes.</summary>
    internal static class FourCc
    {
        public const uint Avc1 = 0x61766331, Hvc1 = 0x68766331, Av01 = 0x61763031, Vp09 = 0x76703039;
        public const uint Mp4a = 0x6D703461, Mp3 = 0x2E6D7033, Opus = 0x4F707573;
        public const uint Ac3 = 0x61632D33, Eac3 = 0x65632D33, Flac = 0x664C6143;
    }
}
