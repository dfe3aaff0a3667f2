using System.Diagnostics.CodeAnalysis;

namespace Millrace.Media.Codecs;

/// <summary>Opus: the identification header (RFC 7845 5.1) and the durations of packets (RFC 6716 3.1).</summary>
public static class Opus
{
    /// <summary>Opus always counts at 48 kHz, whatever the encoder was fed (RFC 7845 4).</summary>
    public const int SampleRate = 48_000;

    /// <summary>120 ms (RFC 6716 3.2.5, R5).</summary>
    public const int MaxPacketSamples = 5760;

    private const int MinHeaderLength = 19;

    /// <summary>Reads an OpusHead of major version 0.</summary>
    public static bool TryParseConfig(
        ReadOnlySpan<byte> opusHead, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        if (opusHead.Length < MinHeaderLength || !opusHead.StartsWith("OpusHead"u8) || opusHead[8] >> 4 != 0)
        {
            error = "OpusHead: too short, without its magic, or of another version";
            return false;
        }

        int channels = opusHead[9], family = opusHead[18];
        // Family 0 has one or two channels and no mapping table; any other has streams, coupled and one byte a channel (5.1.1).
        bool fits = family == 0 ? channels is 1 or 2 : channels > 0 && opusHead.Length >= MinHeaderLength + 2 + channels;
        if (!fits)
        {
            error = $"OpusHead: {channels} channels do not fit mapping family {family} or the header's length";
            return false;
        }

        error = null;
        config = new Config
        {
            Codec = Codec.Opus,
            InitData = opusHead.ToArray(),
            CodecString = "opus",
            SampleRate = SampleRate,
            Channels = channels,
        };
        return true;
    }

    /// <summary>The comment header (5.2), which Enhanced RTMP allows as a second sequence start and which is no Config.</summary>
    public static bool IsCommentHeader(ReadOnlySpan<byte> data) => data.StartsWith("OpusTags"u8);

    /// <summary>Samples at 48 kHz that the packet decodes to; false when it is empty, cut or longer than 120 ms.</summary>
    public static bool TryReadDuration(ReadOnlySpan<byte> packet, out int samples)
    {
        samples = 0;
        if (packet.IsEmpty)
            return false;
        byte toc = packet[0];
        int frames = (toc & 3) switch { 0 => 1, 1 or 2 => 2, _ => packet.Length < 2 ? 0 : packet[1] & 0x3F };
        samples = frames * FrameSamples(toc >> 3);
        return samples is > 0 and <= MaxPacketSamples;
    }

    /// <summary>RFC 6716 table 2: SILK 10, 20, 40, 60 ms; hybrid 10, 20 ms; CELT 2.5, 5, 10, 20 ms.</summary>
    private static int FrameSamples(int configuration) => configuration switch
    {
        < 12 => (configuration & 3) == 3 ? 2880 : 480 << (configuration & 3),
        < 16 => 480 << (configuration & 1),
        _ => 120 << (configuration & 3),
    };
}
