using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Millrace.Media;

namespace Millrace.Streams.Hls;

/// <summary>
/// File names of HLS objects. Each has a key made of the stream's name and the Timeline's id, so that a URL never means
/// two things, on whatever node.
/// </summary>
internal static class HlsNames
{
    public const string Master = "llhls.m3u8";
    public const string Playlist = "playlist.m3u8";
    public const string Index = "index.m3u8";

    /// <summary>Hexadecimal digits.</summary>
    public const int KeyLength = 12;

    /// <summary>Hexadecimal digits of an entity tag.</summary>
    public const int TagLength = 2 * TagBytes;

    private const int TagBytes = 12;

    public static string KeyOf(StreamName stream, ulong timeline)
    {
        var text = stream.ToString();
        var input = new byte[Encoding.UTF8.GetByteCount(text) + sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(input.AsSpan(Encoding.UTF8.GetBytes(text, input)), timeline);
        return Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, KeyLength / 2));
    }

    /// <summary>An entity tag without its quotes.</summary>
    public static string Tag(ReadOnlySpan<byte> digest) => Convert.ToHexStringLower(digest[..TagBytes]);

    public static string Tag(byte[] content) => Tag(SHA256.HashData(content).AsSpan());

    public static string TypeName(TrackKind kind) => kind == TrackKind.Video ? "video" : "audio";

    public static string MediaPlaylist(in RenditionId id, string key) => $"chunklist_{id}_{key}_llhls.m3u8";

    public static string Init(in RenditionId id, HlsInit init, string key) => $"init_{id.Number}_{init.Era}_{init.Config}_{TypeName(id.Kind)}_{key}_llhls.m4s";

    public static string Segment(in RenditionId id, long number, string key) => $"seg_{id.Number}_{number}_{TypeName(id.Kind)}_{key}_llhls.m4s";

    public static string TsSegment(string stream, TsOptions options, long name, string key) => $"{Prefix(stream, options, key)}{name}.ts";

    public static string ContentKey(string stream, TsOptions options, long number, string key) => $"{Prefix(stream, options, key)}{number}.key";

    private static string Prefix(string stream, TsOptions options, string key) =>
        (options.IsNested ? "" : Uri.EscapeDataString(stream) + "-") + (options.HasPlainNames ? "" : key + "-");

    public static string Part(in RenditionId id, long number, int part, string key) => $"part_{id.Number}_{number}_{part}_{TypeName(id.Kind)}_{key}_llhls.m4s";
}

/// <summary>A rendition of a Timeline: the n-th track of a kind.</summary>
internal readonly record struct RenditionId(TrackKind Kind, int Number)
{
    public override string ToString() => $"{Number}_{HlsNames.TypeName(Kind)}";
}
