using System.IO.Compression;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl.Probes;

/// <summary>What HTTP clients and caches do with each kind of resource.</summary>
internal static class HttpProbes
{
    public static async Task PlainAsync(ProbeContext context)
    {
        var exchange = await context.SendAsync(new Ask(context.Playlist));
        context.Add(new(ProbeKind.Plain, exchange) { Known = context.Newest, Answer = ProbeContext.Parse(exchange) });
    }

    public static async Task GzipAsync(ProbeContext context)
    {
        foreach (var (subject, uri, _) in context.Resources())
        {
            var plain = await context.SendAsync(new Ask(uri));
            var packed = await context.SendAsync(new Ask(uri) { Header = ("Accept-Encoding", "gzip") });
            var isPlaylist = packed.Status == 200 && packed.Header("Content-Encoding") == "gzip" && subject == "playlist";
            var answer = isPlaylist && Unpack(packed) is { } text ? ProbeContext.Parse(packed with { Body = text }) : null;
            context.Add(new(ProbeKind.Gzip, packed) { Subject = subject, Reference = plain, Answer = answer, Known = context.Newest });
        }
    }

    public static async Task HeadAsync(ProbeContext context)
    {
        foreach (var (subject, uri, _) in context.Resources())
        {
            var get = await context.SendAsync(new Ask(uri));
            var head = await context.SendAsync(new Ask(uri) { Method = HttpMethod.Head, Limit = TimeSpan.FromSeconds(5) });
            context.Add(new(ProbeKind.Head, head) { Subject = subject, Reference = get });
        }
    }

    public static async Task ConditionalAsync(ProbeContext context)
    {
        foreach (var (subject, uri, _) in context.Resources())
        {
            // A playlist may have moved on between the two: it is asked twice more before that counts.
            for (var i = 0; i < 3; i++)
            {
                var get = await context.SendAsync(new Ask(uri));
                var tag = get.Header("ETag");
                var again = await context.SendAsync(new Ask(uri) { Header = ("If-None-Match", tag ?? "\"none\"") });
                if (again.Status != 304 && tag is not null && again.Header("ETag") != tag && i < 2)
                    continue;
                context.Add(new(ProbeKind.Conditional, again) { Subject = subject, Reference = get });
                break;
            }
        }
    }

    public static async Task RangeAsync(ProbeContext context)
    {
        foreach (var (subject, uri, range) in context.Resources())
        {
            if (subject is not ("segment" or "part" or "init") || range is not null)
                continue;
            var whole = await context.SendAsync(new Ask(uri));
            if (whole.Status != 200 || whole.Length < 16)
                continue;
            foreach (var (header, first, length) in new[] { ("bytes=4-11", 4, 8), ($"bytes={whole.Length - 5}-", (int)whole.Length - 5, 5), ("bytes=-6", (int)whole.Length - 6, 6) })
            {
                var part = await context.SendAsync(new Ask(uri) { Header = ("Range", header) });
                var same = part.Body.Span.SequenceEqual(whole.Body.Span.Slice(first, length));
                var error = part.Status == 206 && !same ? "the bytes are not those of the range" : part.Error;
                context.Add(new(ProbeKind.Range, part with { Error = error }) { Subject = subject, Reference = whole });
            }

            var beyond = await context.SendAsync(new Ask(uri) { Header = ("Range", $"bytes={whole.Length}-") });
            context.Add(new(ProbeKind.BadRange, beyond) { Subject = subject, Reference = whole });
        }
    }

    /// <summary>Over TLS: a quick answer beside a held one on the same connection, and HTTP/1.1 for those who have nothing else.</summary>
    public static async Task ProtocolAsync(ProbeContext context)
    {
        if (context.Playlist.Scheme != Uri.UriSchemeHttps)
            return;
        if (context.CanBlock)
        {
            var next = context.Newest.Next;
            var held = context.SendAsync($"_HLS_msn={next.Msn}&_HLS_part={next.Part}");
            var quick = await context.SendAsync(new Ask(context.Playlist));
            context.Add(new(ProbeKind.Multiplexed, quick) { Reference = await held });
        }

        var old = await context.SendAsync(new Ask(context.Playlist) { Version = new(1, 1) });
        context.Add(new(ProbeKind.OldProtocol, old));
    }

    private static byte[]? Unpack(Exchange exchange)
    {
        try
        {
            using var gzip = new GZipStream(new MemoryStream(exchange.Body.ToArray()), CompressionMode.Decompress);
            var text = new MemoryStream();
            gzip.CopyTo(text);
            return text.ToArray();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
