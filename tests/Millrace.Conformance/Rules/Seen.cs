using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>A rendition's parts and segments over all versions of its playlist, each as it was last seen.</summary>
internal sealed class Seen
{
    public SortedDictionary<Position, PartEntry> Parts { get; } = [];

    public SortedDictionary<long, SegmentEntry> Segments { get; } = [];

    /// <summary>Segments that were seen whole with their parts: how many these are. Of one that came and went at once nobody knows.</summary>
    private readonly Dictionary<long, int> _partCounts = [];

    public static Seen Of(RenditionHistory rendition)
    {
        var seen = new Seen();
        foreach (var version in rendition.Versions)
        {
            foreach (var segment in version.List.AllSegments)
            {
                seen.Segments[segment.Msn] = segment;
                if (segment.Uri is not null && segment.Parts.Count > 0)
                    seen._partCounts[segment.Msn] = segment.Parts.Count;
                foreach (var part in segment.Parts)
                    seen.Parts[new(part.Msn, part.Index)] = part;
            }
        }

        return seen;
    }

    public bool IsOpen(long msn) => Segments.TryGetValue(msn, out var segment) && segment.Uri is null;

    /// <summary>The part that follows; null when it was not seen.</summary>
    public PartEntry? After(PartEntry part) =>
        Parts.TryGetValue(new(part.Msn, part.Index + 1), out var next) ? next
        : _partCounts.GetValueOrDefault(part.Msn) == part.Index + 1 && Parts.TryGetValue(new(part.Msn + 1, 0), out next) ? next : null;

    public bool IsLastOfSegment(PartEntry part) => !IsOpen(part.Msn) && !Parts.ContainsKey(new(part.Msn, part.Index + 1));
}
