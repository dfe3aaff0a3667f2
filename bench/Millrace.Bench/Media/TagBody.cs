using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Media;

/// <summary>What an audio or video tag body says about itself, and where the coded bytes begin, in legacy and in Enhanced RTMP form.</summary>
internal readonly ref struct TagBody
{
    private TagBody(bool isConfig, bool isKey, ReadOnlySpan<byte> coded)
    {
        IsConfig = isConfig;
        IsKey = isKey;
        Coded = coded;
    }

    public bool IsConfig { get; }
    public bool IsKey { get; }

    /// <summary>The picture or audio frame without its header; empty for anything that is not a frame.</summary>
    public ReadOnlySpan<byte> Coded { get; }

    public static TagBody Parse(byte type, ReadOnlySpan<byte> body)
    {
        if (body.Length < 2) return default;
        return type == MediaMessage.Video ? ParseVideo(body) : ParseAudio(body);
    }

    private static TagBody ParseVideo(ReadOnlySpan<byte> body)
    {
        bool key = ((body[0] >> 4) & 7) == 1;
        if ((body[0] & 0x80) == 0)
        {
            // Legacy AVC: frame type and codec, packet type (0 = configuration, 1 = picture), composition time.
            if (body.Length < 5) return default;
            return body[1] switch { 0 => new TagBody(true, false, default), 1 => new TagBody(false, key, body[5..]), _ => default };
        }

        // Enhanced RTMP v2: packet type in the low bits, FourCC, and for type 1 of AVC and HEVC a composition time.
        if (body.Length < 8) return default;
        bool hasTime = body.Slice(1, 4).SequenceEqual("avc1"u8) || body.Slice(1, 4).SequenceEqual("hvc1"u8);
        return (body[0] & 0x0F) switch
        {
            0 => new TagBody(true, false, default),
            1 => new TagBody(false, key, body[(hasTime ? 8 : 5)..]),
            3 => new TagBody(false, key, body[5..]),
            _ => default,
        };
    }

    private static TagBody ParseAudio(ReadOnlySpan<byte> body)
    {
        int format = body[0] >> 4;
        if (format == 10) return body[1] == 0 ? new TagBody(true, false, default) : new TagBody(false, false, body[2..]);
        if (format != 9) return new TagBody(false, false, body[1..]);
        if (body.Length < 5) return default;
        return (body[0] & 0x0F) switch { 0 => new TagBody(true, false, default), 1 => new TagBody(false, false, body[5..]), _ => default };
    }
}
