using System.Diagnostics.CodeAnalysis;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>The header of an MPEG audio frame (ISO/IEC 11172-3 2.4.1.3, 13818-3 2.4.1.3; MPEG-2.5 as decoders know it).</summary>
/// <param name="Version">10 for MPEG-1, 20 for MPEG-2, 25 for MPEG-2.5.</param>
/// <param name="Layer">1 to 3.</param>
/// <param name="SampleRate">Hz.</param>
/// <param name="Channels">1 or 2.</param>
/// <param name="SamplesPerFrame">384, 576 or 1,152.</param>
/// <param name="FrameLength">Bytes of the frame with its header; 0 for the free format, which does not say.</param>
public readonly record struct MpegAudioHeader(
    int Version, int Layer, int SampleRate, int Channels, int SamplesPerFrame, int FrameLength)
{
    public const int Length = 4;

    /// <summary>False when the sync is not there, a field is reserved, or fewer than 4 bytes are given.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, out MpegAudioHeader header)
    {
        header = default;
        var bits = new BitReader(data);
        uint sync = bits.ReadBits(11), versionCode = bits.ReadBits(2), layerCode = bits.ReadBits(2);
        bits.ReadFlag(); // no CRC
        uint rateCode = bits.ReadBits(4), frequency = bits.ReadBits(2), padding = bits.ReadBits(1);
        bits.ReadFlag(); // private
        uint mode = bits.ReadBits(2);
        if (bits.Failed || sync != 0x7FF || versionCode == 1 || layerCode == 0 || rateCode == 15 || frequency == 3)
            return false;

        const uint Mono = 3;
        int layer = 4 - (int)layerCode;
        bool isFirst = versionCode == 3;
        int version = isFirst ? 10 : versionCode == 2 ? 20 : 25;
        int rate = frequency switch { 0 => 44_100, 1 => 48_000, _ => 32_000 };
        rate >>= version switch { 10 => 0, 20 => 1, _ => 2 };
        int samples = layer == 1 ? 384 : layer == 3 && !isFirst ? 576 : 1152;
        int kilobits = Kilobits(isFirst, layer)[(int)rateCode];
        int slot = layer == 1 ? 4 : 1;
        int length = kilobits == 0 ? 0 : (((samples / 8 / slot * kilobits * 1000) / rate) + (int)padding) * slot;
        header = new MpegAudioHeader(version, layer, rate, mode == Mono ? 1 : 2, samples, length);
        return true;
    }

    /// <summary>kbit/s by bitrate_index; MPEG-2.5 uses MPEG-2's.</summary>
    private static ReadOnlySpan<short> Kilobits(bool isFirst, int layer) => (isFirst, layer) switch
    {
        (true, 1) => [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        (true, 2) => [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        (true, _) => [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        (false, 1) => [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        (false, _) => [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    };
}

/// <summary>MP3, that is MPEG-1, -2 and -2.5 audio layer III.</summary>
public static class Mp3
{
    /// <summary>
    /// Audio object type 34, Layer-3 (ISO/IEC 14496-3 table 1.17): the form that HLS authoring guides list. In MP4 it is another
    /// (<see cref="Mp4.InitSection.CodecString"/>).
    /// </summary>
    public const string CodecString = "mp4a.40.34";

    /// <summary>Each frame describes the stream. Layers I and II are refused: no output of ours announces them.</summary>
    public static bool TryParseConfigFromFrame(
        ReadOnlySpan<byte> frame, [NotNullWhen(true)] out Config? config, [NotNullWhen(false)] out string? error)
    {
        config = null;
        if (!MpegAudioHeader.TryParse(frame, out MpegAudioHeader header))
        {
            error = "MP3: not a frame header";
            return false;
        }

        if (header.Layer != 3)
        {
            error = $"MPEG audio layer {header.Layer} is not MP3";
            return false;
        }

        error = null;
        config = new Config
        {
            Codec = Codec.Mp3,
            InitData = ReadOnlyMemory<byte>.Empty,
            CodecString = CodecString,
            SampleRate = header.SampleRate,
            Channels = header.Channels,
            SamplesPerFrame = header.SamplesPerFrame,
        };
        return true;
    }
}
