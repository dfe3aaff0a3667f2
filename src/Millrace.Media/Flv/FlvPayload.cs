namespace Millrace.Media.Flv;

/// <summary>What a payload is; legacy FLV knows the first three.</summary>
public enum FlvPacketType : byte
{
    /// <summary>Decoder configuration: see <see cref="Config.InitData"/> (Opus may send its comment header as a second one).</summary>
    SequenceStart,

    /// <summary>One access unit.</summary>
    Frames,
    SequenceEnd,

    /// <summary>AMF name and value pairs about the video, such as colorInfo.</summary>
    Metadata,

    /// <summary>Channel order and mapping of an audio track.</summary>
    MultichannelConfig,
    Mpeg2TsSequenceStart,

    /// <summary>A video info or command frame (frame type 5); Data is the command byte, Codec may be None.</summary>
    Command,
}

/// <summary>Which coding of audio and video messages a peer gets.</summary>
public enum FlvForm : byte
{
    /// <summary>Codec ids only: H.264, HEVC (12, by convention), AAC, MP3; one track each.</summary>
    Legacy,

    /// <summary>
    /// Enhanced RTMP v2 for what legacy FLV cannot carry: FourCC codecs and tracks above 0. H.264, AAC and MP3 of track 0 keep
    /// their legacy coding, which is what enhanced senders and players (OBS, ffmpeg) use and expect too.
    /// </summary>
    Enhanced,
}

/// <summary>One track's part of an audio or video message; valid as long as the message's bytes.</summary>
public readonly ref struct FlvPayload
{
    public TrackKind Kind { get; init; }

    /// <summary>0 unless the message is a multitrack one.</summary>
    public byte TrackId { get; init; }

    public Codec Codec { get; init; }

    public FlvPacketType Type { get; init; }

    /// <summary>Video of frame type 1 or 4; audio always.</summary>
    public bool IsKey { get; init; }

    /// <summary>Video of frame type 3: no other picture refers to it.</summary>
    public bool IsDisposable { get; init; }

    /// <summary>Presentation minus decoding time in ms, signed 24 bits; 0 where the form has no such field.</summary>
    public int CompositionTimeMs { get; init; }

    /// <summary>Nanoseconds to add to the message's time (ModEx TimestampOffsetNano), 0 to 999,999.</summary>
    public int TimestampNanoOffset { get; init; }

    public ReadOnlySpan<byte> Data { get; init; }
}
