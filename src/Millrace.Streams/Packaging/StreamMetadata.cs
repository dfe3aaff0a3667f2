using System.Buffers;
using Millrace.Media;
using Millrace.Media.Amf;
using Millrace.Streams.Log;

namespace Millrace.Streams.Packaging;

/// <summary>onMetaData as state: what publishers send is merged; of one that sends none, the Era's tracks speak.</summary>
internal static class StreamMetadata
{
    /// <summary>Every joiner is sent it, so it is bounded. Real ones have a few hundred bytes.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Characters of a track's language or name; longer ones are of no use to a viewer.</summary>
    private const int MaxTrackText = 64;

    private const int H264 = 7;
    private const int Hevc = 12;
    private const int Aac = 10;
    private const int Mp3 = 2;

    /// <summary>
    /// Adds the members of <paramref name="body"/> to those of <paramref name="state"/>, in place where they are known. The
    /// first body is kept byte for byte. False when the body is no onMetaData or too large to be kept.
    /// </summary>
    public static bool TryMerge(ReadOnlyMemory<byte> state, ReadOnlySpan<byte> body, out ReadOnlyMemory<byte> merged)
    {
        merged = default;
        if (body.Length > MaxBytes || !TryRead(body, out var added))
            return false;
        if (state.IsEmpty || !TryRead(state.Span, out var known))
        {
            merged = body.ToArray();
            return true;
        }

        var members = new List<AmfProperty>(known.Properties);
        foreach (var property in added.Properties)
        {
            var index = members.FindIndex(member => member.Name == property.Name);
            if (index < 0)
                members.Add(property);
            else
                members[index] = property;
        }

        var output = new ArrayBufferWriter<byte>(state.Length + body.Length);
        var writer = new Amf0Writer(output);
        writer.String("onMetaData");
        writer.Value(AmfValue.OfEcmaArray(members));
        // A publisher that invents names without end loses what it said before.
        merged = output.WrittenCount <= MaxBytes ? output.WrittenMemory : body.ToArray();
        return true;
    }

    private static bool TryRead(ReadOnlySpan<byte> body, out AmfValue value)
    {
        var reader = new Amf0Reader(body);
        value = AmfValue.Undefined;
        return reader.TryReadString(out var name) && name == "onMetaData" && reader.TryRead(out value) && value.IsObjectLike;
    }

    /// <summary>
    /// Language and name of one track, from the maps by track id of Enhanced RTMP v2 ("Enhancing onMetaData"). The
    /// specification leaves the members open; these are the names in use.
    /// </summary>
    public static (string? Language, string? Label) OfTrack(ReadOnlyMemory<byte> state, TrackKind kind, int sourceId)
    {
        if (state.IsEmpty || !TryRead(state.Span, out var value))
            return (null, null);
        var map = value[kind == TrackKind.Video ? "videoTrackIdInfoMap" : "audioTrackIdInfoMap"];
        var track = map?[sourceId.ToString(System.Globalization.CultureInfo.InvariantCulture)];
        return (Clean(track?.GetString("language") ?? track?.GetString("lang")), Clean(track?.GetString("label") ?? track?.GetString("name") ?? track?.GetString("title")));
    }

    private static string? Clean(string? text) =>
        text is { Length: > 0 and <= MaxTrackText } && !text.Any(char.IsControl) ? text : null;

    public static ReadOnlyMemory<byte> Describe(Era era)
    {
        var output = new ArrayBufferWriter<byte>(256);
        var writer = new Amf0Writer(output);
        writer.String("onMetaData");
        writer.StartEcmaArray(0);
        if (Array.Find(era.Tracks, track => track.Kind == TrackKind.Video)?.Config is { } video)
        {
            writer.Member("width", video.Width);
            writer.Member("height", video.Height);
            if (video.FrameRate > 0)
                writer.Member("framerate", video.FrameRate);
            if (CodecId(video.Codec) is { } id)
                writer.Member("videocodecid", id);
        }

        if (Array.Find(era.Tracks, track => track.Kind == TrackKind.Audio)?.Config is { } audio)
        {
            writer.Member("audiosamplerate", audio.SampleRate);
            writer.Member("audiochannels", audio.Channels);
            writer.Member("stereo", audio.Channels == 2);
            if (CodecId(audio.Codec) is { } id)
                writer.Member("audiocodecid", id);
        }

        writer.EndObject();
        return output.WrittenMemory;
    }

    private static double? CodecId(Codec codec) => codec switch
    {
        Codec.H264 => H264,
        Codec.Hevc => Hevc,
        Codec.Aac => Aac,
        Codec.Mp3 => Mp3,
        _ => null,
    };
}
