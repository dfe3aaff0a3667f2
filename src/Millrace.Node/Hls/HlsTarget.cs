using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Millrace.Media;
using Millrace.Node.Metrics;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

internal enum HlsFile
{
    /// <summary><c>/app/name/llhls.m3u8</c>: the multivariant playlist of LL-HLS.</summary>
    Multivariant,

    /// <summary><c>/app/name/chunklist_0_video_KEY_llhls.m3u8</c>.</summary>
    MediaPlaylist,

    /// <summary><c>/app/name/init_0_ERA_CONFIG_video_KEY_llhls.m4s</c>.</summary>
    Init,

    /// <summary><c>/app/name/seg_0_MSN_video_KEY_llhls.m4s</c>.</summary>
    Segment,

    /// <summary><c>/app/name/part_0_MSN_PART_video_KEY_llhls.m4s</c>.</summary>
    Part,

    /// <summary><c>/app/name.m3u8</c>, <c>/app/name/playlist.m3u8</c>; nested <c>/app/name/index.m3u8</c>.</summary>
    TsPlaylist,

    /// <summary><c>/app/name-KEY-N.ts</c>; nested <c>/app/name/KEY-N.ts</c>; without KEY where names are plain.</summary>
    TsSegment,

    /// <summary><c>/app/name-KEY-N.key</c>, in the same forms: the content key of AES-128.</summary>
    ContentKey,
}

/// <summary>What a URL path of the HLS name space asks for. Only the form is known: whether it exists is another matter.</summary>
/// <param name="File">What it is.</param>
/// <param name="Folder">The path before the file name, percent-encoded.</param>
/// <param name="Name">The file name, percent-encoded; of a MPEG-TS playlist <c>name.m3u8</c> without its suffix.</param>
internal sealed record HlsTarget(HlsFile File, string Folder, string Name)
{
    private const string PlaylistSuffix = ".m3u8";

    public RenditionId Rendition { get; private init; }

    /// <summary>The part of the name that stands for stream and Timeline; empty where names are plain.</summary>
    public string Key { get; private init; } = "";

    /// <summary>Media sequence number; of an initialization section its Era; of MPEG-TS the number in the name.</summary>
    public long Number { get; private init; }

    /// <summary>Part in the segment; of an initialization section its Config.</summary>
    public int Part { get; private init; }

    /// <summary>Of playlists: what the URLs of all that they name begin with, percent-encoded; null of all else.</summary>
    public string? CookiePath => File switch
    {
        HlsFile.Multivariant or HlsFile.MediaPlaylist or HlsFile.TsPlaylist => Folder.Length > 0 ? Folder : "/",
        _ => null,
    };

    public static bool IsHls(string path) =>
        path.EndsWith(PlaylistSuffix, StringComparison.Ordinal) || path.EndsWith(".m4s", StringComparison.Ordinal)
        || path.EndsWith(".ts", StringComparison.Ordinal) || path.EndsWith(".key", StringComparison.Ordinal);

    public static bool IsHls(ReadOnlySpan<byte> path) =>
        path.EndsWith(".m3u8"u8) || path.EndsWith(".m4s"u8) || path.EndsWith(".ts"u8) || path.EndsWith(".key"u8);

    /// <summary>The zone that a request counts in.</summary>
    public static TrafficFormat TrafficOf(string path) =>
        path.EndsWith(".key", StringComparison.Ordinal) ? TrafficFormat.Key
        : path.EndsWith(".m4s", StringComparison.Ordinal) || path.EndsWith(HlsNames.Master, StringComparison.Ordinal) ? TrafficFormat.LlHls
        : TrafficFormat.TsHls;

    /// <summary>False where nothing of that form can ever exist.</summary>
    public static bool TryParse(string path, [NotNullWhen(true)] out HlsTarget? target)
    {
        var slash = path.LastIndexOf('/');
        var (folder, file) = (path[..Math.Max(0, slash)], path[(slash + 1)..]);
        target = file switch
        {
            HlsNames.Master => new HlsTarget(HlsFile.Multivariant, folder, file),
            HlsNames.Playlist or HlsNames.Index => new HlsTarget(HlsFile.TsPlaylist, folder, file),
            _ when file.EndsWith("_llhls.m3u8", StringComparison.Ordinal) => ParseLowLatency(folder, file),
            _ when file.EndsWith("_llhls.m4s", StringComparison.Ordinal) => ParseLowLatency(folder, file),
            _ when file.EndsWith(PlaylistSuffix, StringComparison.Ordinal) => new HlsTarget(HlsFile.TsPlaylist, folder, file[..^PlaylistSuffix.Length]),
            _ when file.EndsWith(".ts", StringComparison.Ordinal) => ParseNumbered(HlsFile.TsSegment, folder, file, ".ts"),
            _ when file.EndsWith(".key", StringComparison.Ordinal) => ParseNumbered(HlsFile.ContentKey, folder, file, ".key"),
            _ => null,
        };
        return target is not null;
    }

    /// <summary>The stream whose folder this is, or whose name the file begins with, in the order in which they are to be tried.</summary>
    public IEnumerable<string> StreamPaths()
    {
        if (File == HlsFile.TsPlaylist && Name is not (HlsNames.Playlist or HlsNames.Index))
        {
            yield return $"{Folder}/{Name}";
            yield break;
        }

        yield return Folder;
        if (File is HlsFile.TsSegment or HlsFile.ContentKey && StreamOfFile() is { Length: > 0 } name)
            yield return $"{Folder}/{name}";
    }

    /// <summary>Whether the file is called as the stream's playlist calls it: no object has two names.</summary>
    public bool IsNameIn(string stream, TsOptions options)
    {
        var name = File == HlsFile.ContentKey ? HlsNames.ContentKey(stream, options, Number, Key) : HlsNames.TsSegment(stream, options, Number, Key);
        return Uri.UnescapeDataString(Name) == Uri.UnescapeDataString(name);
    }

    private string StreamOfFile()
    {
        var end = Name.LastIndexOf('-');
        if (Key.Length > 0 && end > 0)
            end = Name.LastIndexOf('-', end - 1);
        return end > 0 ? Name[..end] : "";
    }

    private static HlsTarget? ParseLowLatency(string folder, string file)
    {
        var words = file.Split('_');
        var kind = words.Length < 5 ? null : words[^3] switch { "video" => TrackKind.Video, "audio" => TrackKind.Audio, _ => (TrackKind?)null };
        if (kind is null || !TryNumber(words[1], out var rendition) || rendition > byte.MaxValue)
            return null;
        HlsFile? type = (words[0], words.Length, words[^1]) switch
        {
            ("chunklist", 5, "llhls.m3u8") => HlsFile.MediaPlaylist,
            ("seg", 6, "llhls.m4s") => HlsFile.Segment,
            ("part", 7, "llhls.m4s") => HlsFile.Part,
            ("init", 7, "llhls.m4s") => HlsFile.Init,
            _ => null,
        };
        var (number, part) = (0L, 0L);
        if (type is null || (words.Length > 5 && !TryNumber(words[2], out number)) || (words.Length > 6 && (!TryNumber(words[3], out part) || part > int.MaxValue)))
            return null;
        return new HlsTarget(type.Value, folder, file)
        {
            Rendition = new RenditionId(kind.Value, (int)rendition),
            Key = words[^2],
            Number = number,
            Part = (int)part,
        };
    }

    private static HlsTarget? ParseNumbered(HlsFile type, string folder, string file, string suffix)
    {
        var words = file[..^suffix.Length].Split('-');
        if (!TryNumber(words[^1], out var number))
            return null;
        var hasKey = words.Length > 1 && words[^2].Length == HlsNames.KeyLength && words[^2].All(char.IsAsciiHexDigitLower);
        return new HlsTarget(type, folder, file) { Number = number, Key = hasKey ? words[^2] : "" };
    }

    /// <summary>Digits only, and one form for each number: else an object would have many names in a cache.</summary>
    private static bool TryNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && (text.Length == 1 || text[0] != '0');
}
