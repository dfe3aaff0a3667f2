using System.Runtime.CompilerServices;
using Millrace.Media.Flv;

namespace Millrace.Node.Tests.Harness;

/// <summary>One message of a clip.</summary>
internal sealed record ClipTag(FlvTagType Type, uint Time, byte[] Body)
{
    public bool IsVideoKey => Type == FlvTagType.Video && Body[0] == 0x17 && Body[1] == 1;

    public bool IsSequenceHeader => Type != FlvTagType.Script && Body[1] == 0;
}

/// <summary>The real clip of the test media: H.264 640x360 and AAC.</summary>
internal static class TestClip
{
    public static IReadOnlyList<ClipTag> Tags { get; } = Parse(File.ReadAllBytes(FindFile()));

    /// <summary>Metadata and sequence headers: what every publisher begins with.</summary>
    public static IReadOnlyList<ClipTag> Start { get; } = [.. Tags.Where(tag => tag.Type == FlvTagType.Script || tag.IsSequenceHeader)];

    public static IReadOnlyList<ClipTag> Media { get; } = [.. Tags.Where(tag => tag.Type != FlvTagType.Script && !tag.IsSequenceHeader)];

    public static List<ClipTag> Parse(ReadOnlySpan<byte> flv)
    {
        var tags = new List<ClipTag>();
        var reader = new FlvTagReader();
        while (reader.TryRead(flv, out var consumed, out var tag))
        {
            tags.Add(new ClipTag(tag.Type, tag.TimestampMs, tag.Body.ToArray()));
            flv = flv[consumed..];
        }

        reader.Error.ShouldBeNull();
        return tags;
    }

    private static string FindFile([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "Media", "bbb-360p.flv");
}
