using System.Buffers.Binary;
using Millrace.Media.Bits;
using static Millrace.Media.Flv.FlvCodecs;

namespace Millrace.Media.Flv;

/// <summary>
/// Writes what precedes the data in the body of an audio or video message; the data follow as they are, so a packager sends them without a copy.
/// Each method returns the bytes written, at most <see cref="MaxHeaderLength"/>; 0 when this codec has no such message in this form.
/// Callers check <see cref="CanCarry"/> once per track; legacy bodies are of track 0.
/// </summary>
public static class FlvBodyWriter
{
    /// <summary>Packet type, multitrack type, FourCC, track id, composition time.</summary>
    public const int MaxHeaderLength = 1 + 1 + 4 + 1 + 3;

    public static bool CanCarry(Codec codec, FlvForm form) => form == FlvForm.Legacy
        ? codec is Codec.H264 or Codec.Hevc or Codec.Aac or Codec.Mp3
        : ToFourCc(codec) != 0;

    /// <summary>
    /// In front of <see cref="Config.InitData"/>. 0 for MP3, AC-3 and E-AC-3, which have none and need no announcement.
    /// </summary>
    public static int WriteSequenceStart(Span<byte> target, Config config, FlvForm form, byte trackId = 0) =>
        config.InitData.IsEmpty ? 0 : Write(target, config, form, trackId, SequenceStart, KeyFrame, 0);

    /// <summary>In front of one access unit.</summary>
    /// <param name="target">At least <see cref="MaxHeaderLength"/> bytes.</param>
    /// <param name="config">The access unit's; of MP3 the legacy header repeats rate and channels.</param>
    /// <param name="form">The peer's form.</param>
    /// <param name="isKey">Video: a key frame.</param>
    /// <param name="compositionTimeMs">H.264 and HEVC: presentation minus decoding time; clamped to 24 bits.</param>
    /// <param name="trackId">0 for the first track of the kind.</param>
    public static int WriteFrames(
        Span<byte> target, Config config, FlvForm form, bool isKey, int compositionTimeMs = 0, byte trackId = 0)
    {
        const int Limit = (1 << 23) - 1;
        int time = HasCompositionTime(config.Codec) ? Math.Clamp(compositionTimeMs, -Limit - 1, Limit) : 0;
        return Write(target, config, form, trackId, CodedFrames, isKey ? KeyFrame : InterFrame, time);
    }

    /// <summary>The whole body. 0 for legacy audio, which has no such message.</summary>
    public static int WriteSequenceEnd(Span<byte> target, Config config, FlvForm form, byte trackId = 0) =>
        IsLegacy(config.Codec, form, trackId) && config.Kind == TrackKind.Audio
            ? 0
            : Write(target, config, form, trackId, SequenceEnd, KeyFrame, 0);

    private static bool IsLegacy(Codec codec, FlvForm form, byte trackId) =>
        form == FlvForm.Legacy || (trackId == 0 && codec is Codec.H264 or Codec.Aac or Codec.Mp3);

    private static int Write(
        Span<byte> target, Config config, FlvForm form, byte trackId, int packetType, int frameType, int time)
    {
        bool isLegacy = IsLegacy(config.Codec, form, trackId);
        if (!CanCarry(config.Codec, form) || (isLegacy && trackId != 0))
            return 0;
        if (config.Kind == TrackKind.Audio)
            return isLegacy ? WriteLegacyAudio(target, config, packetType) : WriteExtended(target, config, trackId, packetType, ExAudioId, 0);
        if (isLegacy)
            return WriteLegacyVideo(target, config.Codec, packetType, frameType, time);
        bool omitsTime = packetType == CodedFrames && HasCompositionTime(config.Codec) && time == 0;
        return WriteExtended(target, config, trackId, omitsTime ? VideoCodedFramesX : packetType, 8 | frameType, time);
    }

    /// <summary>E.4.2.1. AAC always says 44 kHz stereo; its decoder configuration has the truth.</summary>
    private static int WriteLegacyAudio(Span<byte> target, Config config, int packetType)
    {
        const int Size16 = 2, Stereo = 1, Rate44 = 3 << 2;
        if (config.Codec == Codec.Aac)
        {
            target[0] = (AacId << 4) | Rate44 | Size16 | Stereo;
            target[1] = (byte)packetType;
            return 2;
        }

        // 5.5, 11, 22 and 44 kHz have a code, 8 kHz a codec id; for others the nearest above, as decoders go by the frames.
        int rate = config.SampleRate switch { <= 5512 => 0, <= 11_025 => 1, <= 22_050 => 2, _ => 3 };
        int id = config.SampleRate == 8000 ? Mp3At8KhzId : Mp3Id;
        target[0] = (byte)((id << 4) | (rate << 2) | Size16 | (config.Channels > 1 ? Stereo : 0));
        return 1;
    }

    private static int WriteLegacyVideo(Span<byte> target, Codec codec, int packetType, int frameType, int time)
    {
        target[0] = (byte)((frameType << 4) | (codec == Codec.Hevc ? HevcId : H264Id));
        target[1] = (byte)packetType;
        BigEndian.WriteUInt24(target[2..], time);
        return 5;
    }

    /// <param name="target">Where to.</param>
    /// <param name="config">Whose codec.</param>
    /// <param name="trackId">0 leaves the multitrack wrapper out.</param>
    /// <param name="packetType">The packet type within the wrapper.</param>
    /// <param name="highBits">The upper half of the first byte.</param>
    /// <param name="time">Written for coded frames that have it.</param>
    private static int WriteExtended(Span<byte> target, Config config, byte trackId, int packetType, int highBits, int time)
    {
        int length = 0;
        if (trackId != 0)
        {
            int wrapper = config.Kind == TrackKind.Video ? VideoMultitrack : AudioMultitrack;
            target[length++] = (byte)((highBits << 4) | wrapper);
            target[length++] = (byte)((OneTrack << 4) | packetType);
        }
        else
        {
            target[length++] = (byte)((highBits << 4) | packetType);
        }

        BinaryPrimitives.WriteUInt32BigEndian(target[length..], ToFourCc(config.Codec));
        length += 4;
        if (trackId != 0)
            target[length++] = trackId;
        if (packetType == CodedFrames && HasCompositionTime(config.Codec))
        {
            BigEndian.WriteUInt24(target[length..], time);
            length += 3;
        }

        return length;
    }
}
