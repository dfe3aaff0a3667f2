using System.Runtime.CompilerServices;
using Millrace.Media.Flv;

namespace Millrace.Testing;

/// <summary>One tag of an FLV file.</summary>
internal sealed record ClipTag(FlvTagType Type, uint TimestampMs, byte[] Body);

/// <summary>The clip of tests/Media: 10 s of H.264 and AAC as a real encoder sent them.</summary>
internal static class MediaClip
{
    public static IReadOnlyList<ClipTag> Tags { get; } = Load();

    private static List<ClipTag> Load([CallerFilePath] string here = "")
    {
        var bytes = File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(here)!, "..", "Media", "bbb-360p.flv"));
        var tags = new List<ClipTag>();
        var reader = new FlvTagReader();
        var rest = bytes.AsSpan();
        while (reader.TryRead(rest, out var consumed, out var tag))
        {
            tags.Add(new ClipTag(tag.Type, tag.TimestampMs, tag.Body.ToArray()));
            rest = rest[consumed..];
        }

        return tags;
    }
}
