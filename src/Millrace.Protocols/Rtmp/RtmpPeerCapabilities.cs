using Millrace.Media.Amf;

namespace Millrace.Protocols.Rtmp;

/// <summary>Codecs by FourCC (Enhanced RTMP v2, "Defining Additional Video/Audio Codecs").</summary>
[Flags]
internal enum RtmpFourCcs
{
    None = 0,
    Avc1 = 1 << 0,
    Hvc1 = 1 << 1,
    Vvc1 = 1 << 2,
    Av01 = 1 << 3,
    Vp08 = 1 << 4,
    Vp09 = 1 << 5,
    Mp4a = 1 << 6,
    Mp3 = 1 << 7,
    Opus = 1 << 8,
    Ac3 = 1 << 9,
    Eac3 = 1 << 10,
    Flac = 1 << 11,
    Video = Avc1 | Hvc1 | Vvc1 | Av01 | Vp08 | Vp09,
    Audio = Mp4a | Mp3 | Opus | Ac3 | Eac3 | Flac,
    All = Video | Audio,
}

/// <summary>capsEx bits (Enhanced RTMP v2, "Enhancing NetConnection connect Command").</summary>
[Flags]
internal enum RtmpCapsEx
{
    None = 0,
    Reconnect = 1,
    Multitrack = 2,
    ModEx = 4,
    TimestampNanoOffset = 8,
}

/// <summary>What the peer said in connect (or in its result) about Enhanced RTMP.</summary>
/// <param name="IsEnhanced">It sent any of fourCcList, videoFourCcInfoMap, audioFourCcInfoMap or capsEx.</param>
/// <param name="FourCcs">What it can decode or forward; a fourCcList does not say which, so it counts.</param>
internal sealed record RtmpPeerCapabilities(bool IsEnhanced, RtmpFourCcs FourCcs, RtmpCapsEx CapsEx)
{
    public static readonly RtmpPeerCapabilities Legacy = new(false, RtmpFourCcs.None, RtmpCapsEx.None);

    /// <summary>FourCC names in the order of the bits of <see cref="RtmpFourCcs"/>.</summary>
    public static readonly IReadOnlyList<string> Names =
        ["avc1", "hvc1", "vvc1", "av01", "vp08", "vp09", "mp4a", ".mp3", "Opus", "ac-3", "ec-3", "fLaC"];

    /// <summary>FourCcInfoMask: CanDecode and CanForward.</summary>
    private const int UsefulMask = 1 | 4;

    public bool Reconnect => CapsEx.HasFlag(RtmpCapsEx.Reconnect);

    public bool Multitrack => CapsEx.HasFlag(RtmpCapsEx.Multitrack);

    public bool ModEx => CapsEx.HasFlag(RtmpCapsEx.ModEx);

    public bool Has(RtmpFourCcs codec) => (FourCcs & codec) == codec;

    public static RtmpPeerCapabilities Parse(AmfValue commandObject)
    {
        var list = commandObject["fourCcList"];
        var video = commandObject["videoFourCcInfoMap"];
        var audio = commandObject["audioFourCcInfoMap"];
        var caps = commandObject.GetNumber("capsEx");
        if (list is null && video is null && audio is null && caps is null)
        {
            return Legacy;
        }

        var found = RtmpFourCcs.None;
        foreach (var item in list?.Items ?? [])
        {
            found |= item.Kind == AmfKind.String ? Of(item.Text, RtmpFourCcs.All) : RtmpFourCcs.None;
        }

        found |= OfMap(video, RtmpFourCcs.Video) | OfMap(audio, RtmpFourCcs.Audio);
        return new RtmpPeerCapabilities(true, found, caps is >= 0 and <= 255 ? (RtmpCapsEx)(int)caps.Value : RtmpCapsEx.None);
    }

    /// <summary>Writes the members by which this side says the same of itself.</summary>
    public static void Write(Amf0Writer amf, RtmpFourCcs codecs, RtmpCapsEx caps)
    {
        amf.Name("fourCcList");
        amf.StartStrictArray(System.Numerics.BitOperations.PopCount((uint)codecs));
        for (var i = 0; i < Names.Count; i++)
        {
            if (((int)codecs & 1 << i) != 0)
            {
                amf.String(Names[i]);
            }
        }

        WriteMap(amf, "videoFourCcInfoMap", codecs & RtmpFourCcs.Video);
        WriteMap(amf, "audioFourCcInfoMap", codecs & RtmpFourCcs.Audio);
        amf.Member("capsEx", (int)caps);
    }

    private static void WriteMap(Amf0Writer amf, string name, RtmpFourCcs codecs)
    {
        amf.Name(name);
        amf.StartObject();
        for (var i = 0; i < Names.Count; i++)
        {
            if (((int)codecs & 1 << i) != 0)
            {
                amf.Member(Names[i], UsefulMask);
            }
        }

        amf.EndObject();
    }

    private static RtmpFourCcs OfMap(AmfValue? map, RtmpFourCcs all)
    {
        var found = RtmpFourCcs.None;
        foreach (var (name, value) in map?.Properties ?? [])
        {
            if (value.Kind == AmfKind.Number && ((int)value.Number & UsefulMask) != 0)
            {
                found |= Of(name, all);
            }
        }

        return found;
    }

    private static RtmpFourCcs Of(string name, RtmpFourCcs all)
    {
        if (string.Equals(name, "*", StringComparison.Ordinal))
        {
            return all;
        }

        for (var i = 0; i < Names.Count; i++)
        {
            if (string.Equals(Names[i], name, StringComparison.Ordinal))
            {
                return (RtmpFourCcs)(1 << i);
            }
        }

        return RtmpFourCcs.None;
    }
}
