namespace Millrace.Conformance.Crawl;

/// <summary>A segment's bytes are those of its parts one after the other (RFC 8216bis §4.4.4.9: the same media).</summary>
internal static class Assembly
{
    /// <summary>How they differ; null when they do not.</summary>
    public static string? Difference(ReadOnlyMemory<byte> whole, IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var rest = whole.Span;
        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[i].Span;
            if (part.Length > rest.Length || !rest[..part.Length].SequenceEqual(part))
                return $"part {i} of {parts.Count} is not at byte {whole.Length - rest.Length} of the segment";
            rest = rest[part.Length..];
        }

        return rest.IsEmpty ? null : $"{rest.Length} bytes of the segment's {whole.Length} are in no part";
    }
}
