using System.Buffers;
using Millrace.Media.Codecs;
using Millrace.Media.Flv;
using Millrace.Media.MpegTs;
using Millrace.Testing;

namespace Millrace.Media.Tests.MpegTs;

/// <summary>A muxer with its output, and access units that are easy to tell apart.</summary>
internal sealed class TsBench
{
    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly TsMuxer _muxer;
    private readonly Config[] _configs;

    public TsBench(params (Config Config, int Timescale)[] tracks)
    {
        _configs = [.. tracks.Select(static track => track.Config)];
        _muxer = new TsMuxer([.. tracks.Select(static track => new TsTrack(track.Config.Codec, track.Timescale, null))], _configs);
    }

    public static Config H264 { get; } = Parse(Codec.H264, Vectors.AvcHigh);

    public static Config Hevc { get; } = Parse(Codec.Hevc, Vectors.HevcMain);

    public static Config Aac { get; } = Parse(Codec.Aac, Vectors.AacLc48Stereo);

    public static Config Opus { get; } = Parse(Codec.Opus, Vectors.OpusHead);

    public static Config Mp3 { get; } = Audio(Codec.Mp3, 48_000, 1152);

    public static Config Ac3 { get; } = Audio(Codec.Ac3, 48_000, 1536);

    public static Config Eac3 { get; } = Audio(Codec.Eac3, 48_000, 1536);

    public static Config Parse(Codec codec, byte[] record)
    {
        ConfigParser.TryParse(codec, record, out Config? config, out string? error).ShouldBeTrue(error);
        return config;
    }

    public static Config Audio(Codec codec, int rate, int samples) => new()
    {
        Codec = codec,
        InitData = default,
        CodecString = "",
        SampleRate = rate,
        SamplesPerFrame = samples,
        Channels = 2,
    };

    /// <summary>A payload of this length; of pictures one NAL unit whose slices are never a start code.</summary>
    public static byte[] Unit(Codec codec, int length, int seed = 1)
    {
        byte[] unit = new byte[length];
        for (int i = 0; i < length; i++)
            unit[i] = (byte)(1 + ((i + seed) % 255));
        if (CodecInfo.KindOf(codec) != TrackKind.Video)
            return unit;
        byte[] nal = [(byte)(codec == Codec.H264 ? 1 : 2), .. unit];
        return [0, (byte)(nal.Length >> 16), (byte)(nal.Length >> 8), (byte)nal.Length, .. nal];
    }

    public void Begin()
    {
        _output.ResetWrittenCount();
        _muxer.BeginSegment(_output);
    }

    public void Write(int track, ReadOnlySpan<byte> payload, long dts, long? pts = null, bool isKey = false) =>
        _muxer.Write(track, _configs[track], payload, dts, pts ?? dts, isKey, _output);

    public byte[] End()
    {
        _muxer.EndSegment(_output);
        return _output.WrittenSpan.ToArray();
    }

    /// <summary>What has been written of the segment so far.</summary>
    public int Written => _output.WrittenCount;

    /// <summary>One segment of what <paramref name="write"/> writes.</summary>
    public byte[] Segment(Action<TsBench> write)
    {
        Begin();
        write(this);
        return End();
    }

    /// <summary>The clip's tracks (video, audio), and its units in their order with times as the file has them.</summary>
    public static (List<Config> Configs, List<ClipUnit> Units) LoadClip()
    {
        var configs = new Dictionary<int, Config>();
        var units = new List<ClipUnit>();
        foreach (ClipTag tag in MediaClip.Tags.Where(static tag => tag.Type != FlvTagType.Script))
        {
            int track = tag.Type == FlvTagType.Video ? 0 : 1;
            var body = new FlvBodyReader(track == 0 ? TrackKind.Video : TrackKind.Audio, tag.Body);
            while (body.TryRead(out FlvPayload payload))
            {
                if (payload.Type == FlvPacketType.SequenceStart)
                    configs[track] = Parse(payload.Codec, payload.Data.ToArray());
                else if (payload.Type == FlvPacketType.Frames)
                    units.Add(new ClipUnit(track, tag.TimestampMs, payload.CompositionTimeMs, payload.IsKey, payload.Data.ToArray()));
            }
        }

        return ([configs[0], configs[1]], units);
    }
}

/// <summary>An access unit of the clip; milliseconds.</summary>
internal sealed record ClipUnit(int Track, long Dts, int CompositionTime, bool IsKey, byte[] Payload);
