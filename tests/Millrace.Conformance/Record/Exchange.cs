using System.Globalization;
using System.Net.Http.Headers;

namespace Millrace.Conformance.Record;

/// <summary>One request and its whole answer. Times count from the start of the crawl.</summary>
internal sealed record Exchange
{
    public required string Method { get; init; }

    public required Uri Uri { get; init; }

    /// <summary>Where the answer came from, after redirections: what relative URIs resolve against.</summary>
    public required Uri FinalUri { get; init; }

    /// <summary>Request headers that matter, for the evidence.</summary>
    public IReadOnlyDictionary<string, string> Asked { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    public TimeSpan Sent { get; init; }

    public TimeSpan HeadersAt { get; init; }

    /// <summary>When the first byte of the body came; the same as <see cref="HeadersAt"/> when there was none.</summary>
    public TimeSpan FirstByteAt { get; init; }

    public TimeSpan Done { get; init; }

    /// <summary>The status code; 0 when no whole answer came, and then <see cref="Error"/> says why.</summary>
    public int Status { get; init; }

    public string? Error { get; init; }

    public Version Version { get; init; } = new(1, 1);

    /// <summary>Headers of the answer and its content, several values joined by a comma.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>As it came, not decompressed. Not kept for media once it has been compared.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Bytes of the body as they came.</summary>
    public long Length { get; init; }

    public TimeSpan Elapsed => Done - Sent;

    /// <summary>Whether it was held: answered too late to have been ready, too soon for the network to be the reason.</summary>
    public bool Held => HeadersAt - Sent > TimeSpan.FromMilliseconds(30);

    /// <summary>Freshness by Cache-Control, seconds: 0 for no-store and no-cache, null when nothing is said.</summary>
    public double? MaxAge
    {
        get
        {
            if (Header("Cache-Control") is not { } text || !CacheControlHeaderValue.TryParse(text, out var cache))
                return null;
            return cache.NoStore || cache.NoCache ? 0 : (cache.SharedMaxAge ?? cache.MaxAge)?.TotalSeconds;
        }
    }

    public string? Header(string name) => Headers.TryGetValue(name, out var value) ? value : null;

    public override string ToString()
    {
        var asked = Asked.Count == 0 ? "" : " [" + string.Join("; ", Asked.Select(h => $"{h.Key}: {h.Value}")) + "]";
        var answer = Status == 0 ? Error : Status.ToString(CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"at {Sent.TotalSeconds:F1} s {Method} {Uri.PathAndQuery}{asked} -> {answer} after {Elapsed.TotalMilliseconds:F0} ms");
    }
}
