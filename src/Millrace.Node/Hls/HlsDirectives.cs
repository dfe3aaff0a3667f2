using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>Delivery directives of a playlist request (RFC 8216bis 6.2.5).</summary>
/// <param name="Segment"><c>_HLS_msn</c>; -1: not given.</param>
/// <param name="Part"><c>_HLS_part</c>; -1: not given.</param>
/// <param name="Form">From <c>_HLS_skip</c> and <c>_HLS_legacy</c>.</param>
internal readonly record struct HlsDirectives(long Segment, long Part, PlaylistForm Form)
{
    private const string Prefix = "_HLS_";

    public static HlsDirectives None { get; } = new(-1, -1, PlaylistForm.Full);

    /// <summary>Reads the query; false where a directive is malformed or given twice. Unknown ones are left alone (6.2.5).</summary>
    public static bool TryParse(string query, out HlsDirectives directives, [NotNullWhen(false)] out string? error)
    {
        long? segment = null, part = null;
        string? skip = null, legacy = null;
        error = null;
        directives = None;
        foreach (var range in query.AsSpan().TrimStart('?').Split('&'))
        {
            var pair = query.AsSpan().TrimStart('?')[range];
            if (!pair.StartsWith("_", StringComparison.Ordinal) && !pair.StartsWith("%", StringComparison.Ordinal))
                continue;
            var equals = pair.IndexOf('=');
            var name = Uri.UnescapeDataString(equals < 0 ? pair : pair[..equals]);
            var value = equals < 0 ? "" : Uri.UnescapeDataString(pair[(equals + 1)..]);
            var isTaken = name switch
            {
                Prefix + "msn" => TryTake(ref segment, value),
                Prefix + "part" => TryTake(ref part, value),
                Prefix + "skip" => TryTake(ref skip, value, "YES", "v2", "NO"),
                Prefix + "legacy" => TryTake(ref legacy, value, "YES", "NO"),
                _ => true,
            };
            if (!isTaken)
            {
                error = $"{name}: malformed, or given twice";
                return false;
            }
        }

        if (part is not null && segment is null)
        {
            error = "_HLS_part needs _HLS_msn";
            return false;
        }

        var form = legacy == "YES" ? PlaylistForm.Legacy : skip switch { "YES" => PlaylistForm.Delta, "v2" => PlaylistForm.DeltaV2, _ => PlaylistForm.Full };
        directives = new HlsDirectives(segment ?? -1, part ?? -1, form);
        return true;
    }

    private static bool TryTake(ref long? taken, string value)
    {
        if (taken is not null || !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        taken = number;
        return true;
    }

    private static bool TryTake(ref string? taken, string value, params ReadOnlySpan<string> allowed)
    {
        if (taken is not null || !allowed.Contains(value))
            return false;
        taken = value;
        return true;
    }
}
