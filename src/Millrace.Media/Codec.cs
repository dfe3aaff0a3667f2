namespace Millrace.Media;

/// <summary>What an elementary stream carries.</summary>
public enum TrackKind : byte
{
    Video,
    Audio,
    Data,
}

/// <summary>The coding of an elementary stream.</summary>
public enum Codec : byte
{
    None,
    H264,
    Hevc,
    Av1,
    Vp9,
    Aac,
    Mp3,
    Opus,
    Ac3,
    Eac3,
    Flac,

    /// <summary>AMF0 script data (onMetaData, onTextData, cue points), kept byte for byte.</summary>
    Amf,
}

/// <summary>Facts about codecs that need no bitstream.</summary>
public static class CodecInfo
{
    public static TrackKind KindOf(Codec codec) => codec switch
    {
        Codec.H264 or Codec.Hevc or Codec.Av1 or Codec.Vp9 => TrackKind.Video,
        Codec.Aac or Codec.Mp3 or Codec.Opus or Codec.Ac3 or Codec.Eac3 or Codec.Flac => TrackKind.Audio,
        _ => TrackKind.Data,
    };

    /// <summary>The lower-case name used in the API, metrics and logs.</summary>
    public static string NameOf(Codec codec) => codec switch
    {
        Codec.H264 => "h264",
        Codec.Hevc => "hevc",
        Codec.Av1 => "av1",
        Codec.Vp9 => "vp9",
        Codec.Aac => "aac",
        Codec.Mp3 => "mp3",
        Codec.Opus => "opus",
        Codec.Ac3 => "ac3",
        Codec.Eac3 => "eac3",
        Codec.Flac => "flac",
        Codec.Amf => "amf",
        _ => "none",
    };
}
