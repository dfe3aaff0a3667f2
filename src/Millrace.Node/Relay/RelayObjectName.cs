using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Millrace.Media;
using Millrace.Streams;
using Millrace.Streams.Hls;

namespace Millrace.Node.Relay;

/// <summary>How one node names a segment to another: <c>form/key/kind/rendition/name</c>.</summary>
/// <param name="Format">Of HLS.</param>
/// <param name="Key">Of the Timeline.</param>
/// <param name="Rendition">Of it.</param>
/// <param name="Segment">The number in the segment's name.</param>
internal sealed record RelayObjectName(HlsFormat Format, string Key, RenditionId Rendition, long Segment)
{
    public static bool TryParse(string text, [NotNullWhen(true)] out RelayObjectName? name)
    {
        name = null;
        var words = text.Split('/');
        if (words.Length != 5 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var format) || !Enum.IsDefined((HlsFormat)format)
            || !byte.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out var kind) || !Enum.IsDefined((TrackKind)kind)
            || !byte.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out var rendition)
            || !long.TryParse(words[4], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var segment))
        {
            return false;
        }

        name = new RelayObjectName((HlsFormat)format, words[1], new RenditionId((TrackKind)kind, rendition), segment);
        return true;
    }

    public HlsSegment? Find(LiveStream stream) => stream.FindHls(Format, Key)?.FindSegment(Rendition, Segment) is { IsSealed: true } segment ? segment : null;

    public override string ToString() => FormattableString.Invariant($"{(int)Format}/{Key}/{(int)Rendition.Kind}/{Rendition.Number}/{Segment}");
}
