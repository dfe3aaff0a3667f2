using System.Globalization;
using System.Text;
using Millrace.Media;
using Millrace.Media.Mp4;

namespace Millrace.Streams.Hls;

/// <summary>Writes the multivariant playlist (RFC 8216bis 4.4.6): each video track with all audio tracks as one group. A pure function of the snapshot.</summary>
internal static class MultivariantPlaylist
{
    private const string AudioGroup = "audio";

    /// <summary>BANDWIDTH is a peak that must not be passed: what is listed now, and a tenth.</summary>
    private const int BandwidthPercent = 110;

    /// <param name="snapshot">The state.</param>
    /// <param name="query">Put behind the URI of each playlist.</param>
    public static string Write(HlsSnapshot snapshot, string query)
    {
        var text = new StringBuilder("#EXTM3U\n#EXT-X-VERSION:6\n");
        if (snapshot.Packager.IsStrict)
            text.Append("#EXT-X-INDEPENDENT-SEGMENTS\n");
        var videos = Of(snapshot, TrackKind.Video);
        var audios = Of(snapshot, TrackKind.Audio);
        // Sound alone is its own variant; further languages are renditions of it.
        var hasGroup = videos.Length > 0 ? audios.Length > 0 : audios.Length > 1;
        if (hasGroup)
        {
            for (var i = 0; i < audios.Length; i++)
                WriteAudio(text, snapshot, audios, i, query);
        }

        foreach (var view in videos.Length > 0 ? videos : audios[..Math.Min(1, audios.Length)])
            WriteVariant(text, snapshot, view, hasGroup ? audios : [], query);
        return text.ToString();
    }

    /// <summary>Those of which there is something to play.</summary>
    private static RenditionView[] Of(HlsSnapshot snapshot, TrackKind kind) =>
        Array.FindAll(snapshot.Renditions, view => view.Id.Kind == kind && !view.IsEmpty && snapshot.TrackOf(view) is not null);

    private static void WriteAudio(StringBuilder text, HlsSnapshot snapshot, RenditionView[] audios, int index, string query)
    {
        var view = audios[index];
        var track = snapshot.TrackOf(view)!;
        var name = track.Label ?? track.Language ?? string.Create(CultureInfo.InvariantCulture, $"Audio {index + 1}");
        // NAME must be unique in its group (4.4.6.1).
        for (var other = 0; other < index; other++)
        {
            if ((snapshot.TrackOf(audios[other])!.Label ?? snapshot.TrackOf(audios[other])!.Language) == name)
                name = string.Create(CultureInfo.InvariantCulture, $"{name} {index + 1}");
        }

        MediaPlaylist.Line(text, $"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{AudioGroup}\",NAME=\"{Quoted(name)}\",");
        text.Length--;
        if (track.Language is { Length: > 0 } language)
            text.Append("LANGUAGE=\"").Append(Quoted(language)).Append("\",");
        text.Append(index == 0 ? "DEFAULT=YES," : "DEFAULT=NO,").Append("AUTOSELECT=YES,");
        if (view.Config is { Channels: > 0 } config)
            text.Append(CultureInfo.InvariantCulture, $"CHANNELS=\"{config.Channels}\",");
        MediaPlaylist.Line(text, $"URI=\"{HlsNames.MediaPlaylist(view.Id, snapshot.Packager.Key)}{query}\"");
    }

    private static void WriteVariant(StringBuilder text, HlsSnapshot snapshot, RenditionView view, RenditionView[] audios, string query)
    {
        var bandwidth = view.PeakBitrate;
        var codecs = view.Config is { } config ? InitSection.CodecString(config) : "";
        if (view.Id.Kind == TrackKind.Video)
        {
            var loudest = 0L;
            foreach (var audio in audios)
            {
                loudest = Math.Max(loudest, audio.PeakBitrate);
                if (audio.Config is { } heard && !codecs.Split(',').Contains(InitSection.CodecString(heard)))
                    codecs += "," + InitSection.CodecString(heard);
            }

            bandwidth += loudest;
        }

        MediaPlaylist.Line(text, $"#EXT-X-STREAM-INF:BANDWIDTH={Math.Max(1_000, bandwidth * BandwidthPercent / 100)},CODECS=\"{codecs}\"");
        text.Length--;
        if (view.Config is { Width: > 0 } picture)
        {
            text.Append(CultureInfo.InvariantCulture, $",RESOLUTION={picture.Width}x{picture.Height}");
            if (picture.FrameRate > 0)
                text.Append(CultureInfo.InvariantCulture, $",FRAME-RATE={picture.FrameRate:F3}");
        }

        if (audios.Length > 0)
            text.Append(",AUDIO=\"").Append(AudioGroup).Append('"');
        text.Append('\n').Append(HlsNames.MediaPlaylist(view.Id, snapshot.Packager.Key)).Append(query).Append('\n');
    }

    /// <summary>A quoted string holds neither quotes nor line ends (4.2).</summary>
    private static string Quoted(string text) => string.Concat(text.Where(static c => c != '"' && !char.IsControl(c)));
}
