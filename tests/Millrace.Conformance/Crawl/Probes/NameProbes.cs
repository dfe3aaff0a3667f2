using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl.Probes;

/// <summary>Names that nothing has and that no hint gives (RFC 8216bis §6.2.6).</summary>
internal static partial class NameProbes
{
    public static async Task UnknownAsync(ProbeContext context)
    {
        var newest = context.Newest;
        var known = newest.Parts.Select(part => part.Uri).ToArray();
        var sample = known.Length > 0 ? known[^1] : newest.Segments[^1].Uri!;
        var names = new List<Uri> { Misspelt(sample) };
        if (newest.Segments.Count > 1 && Beyond(newest.Segments[^2].Uri!, newest.Segments[^1].Uri!, 100) is { } segment)
            names.Add(segment);
        if (newest.Parts.Reverse().FirstOrDefault(part => part.Index > 0) is { } later
            && newest.Parts.FirstOrDefault(part => part.Msn == later.Msn && part.Index == later.Index - 1) is { } earlier
            && Beyond(earlier.Uri, later.Uri, 100) is { } far)
            names.Add(far);
        foreach (var name in names)
        {
            var exchange = await context.SendAsync(new Ask(name));
            context.Add(new(ProbeKind.UnknownName, exchange) { Subject = "part", Known = newest });
        }
    }

    /// <summary>The name that the two would lead to after this many steps, when they differ in one number; null otherwise.</summary>
    public static Uri? Beyond(Uri first, Uri second, int steps)
    {
        var (a, b) = (Numbers().Matches(first.AbsoluteUri), Numbers().Matches(second.AbsoluteUri));
        if (a.Count != b.Count)
            return null;
        var different = Enumerable.Range(0, a.Count).Where(i => a[i].Value != b[i].Value).ToArray();
        if (different is not [var at] || !long.TryParse(b[at].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        var text = second.AbsoluteUri;
        var beyond = (number + steps).ToString(CultureInfo.InvariantCulture);
        return new(text[..b[at].Index] + beyond + text[(b[at].Index + b[at].Length)..]);
    }

    private static Uri Misspelt(Uri uri)
    {
        var path = uri.GetLeftPart(UriPartial.Path);
        var dot = path.LastIndexOf('.');
        return new((dot > path.LastIndexOf('/') ? path[..dot] + "-nothing" + path[dot..] : path + "-nothing") + uri.Query);
    }

    [GeneratedRegex("[0-9]+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Numbers();
}
