using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>How resources are sent (RFC 8216bis §6.2.1, Appendix B; RFC 9110).</summary>
internal static class HttpRules
{
    /// <summary>Playlists are compressed when that is accepted and say so to caches; media is not.</summary>
    public static void Gzip(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.Gzip).Where(probe => probe.Exchange.Status == 200 && probe.Reference!.Status == 200))
        {
            var (coding, vary) = (probe.Exchange.Header("Content-Encoding"), probe.Exchange.Header("Vary"));
            if (probe.Subject is not ("playlist" or "multivariant"))
            {
                findings.Check(coding is null, () => $"media with Content-Encoding: {coding}: {probe.Exchange}");
                continue;
            }

            findings.Check(coding == "gzip", () => $"Content-Encoding: {coding ?? "(none)"}: {probe.Exchange}");
            findings.Check(Names(vary, "Accept-Encoding"), () => $"Vary: {vary ?? "(none)"}: {probe.Exchange}");
            var plainVary = probe.Reference!.Header("Vary");
            findings.Check(Names(plainVary, "Accept-Encoding"), () => $"Vary: {plainVary ?? "(none)"}: {probe.Reference}");
            findings.Check(probe.Reference.Header("Content-Encoding") is null, () => $"compressed unasked: {probe.Reference}");
            if (probe.Subject == "playlist" && coding == "gzip")
                findings.Check(probe.Answer is { Segments.Count: > 0 }, () => $"what is unpacked is no playlist: {probe.Exchange}");
        }
    }

    /// <summary>HTTP/2 with several requests on one connection over TLS, beside HTTP/1.1; everything on one host.</summary>
    public static void Protocol(History history, Findings findings)
    {
        var secure = history.Address.Scheme == Uri.UriSchemeHttps;
        foreach (var rendition in history.Renditions)
        {
            var uris = rendition.Parts.Select(part => part.Uri).Concat(rendition.Segments.Select(segment => segment.Entry.Uri!)).Append(rendition.Uri);
            if (uris.FirstOrDefault(uri => uri.Authority != history.Address.Authority) is { } other)
                findings.Check(false, () => $"another host: {other}");
            foreach (var reload in rendition.Versions.Where(_ => secure))
                findings.Check(reload.Exchange.Version.Major == 2, () => $"HTTP/{reload.Exchange.Version}: {reload.Exchange}");
        }

        foreach (var probe in history.Of(ProbeKind.OldProtocol))
            findings.Check(probe.Exchange is { Status: 200, Version: { Major: 1, Minor: 1 } }, () => $"HTTP/1.1 is not served: {probe.Exchange}");
        foreach (var probe in history.Of(ProbeKind.Multiplexed).Where(probe => probe.Reference!.Held))
            findings.Check(probe.Exchange.Status == 200 && (probe.Exchange.Done < probe.Reference!.HeadersAt || !probe.Exchange.Held), () => $"{probe.Exchange} waited for {probe.Reference}");
        if (!secure)
            findings.Note("not over TLS: only the hosts were compared");
    }

    /// <summary>HEAD answers as GET does, without a body, on every kind of address, within 5 s.</summary>
    public static void Head(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.Head))
        {
            var (head, get) = (probe.Exchange, probe.Reference!);
            findings.Check(head.Status == 200 && get.Status == 200, () => $"{probe.Subject}: {head}; {get}");
            findings.Check(head.Length == 0, () => $"{probe.Subject}: a body of {head.Length} bytes: {head}");
            findings.Check(head.Header("Content-Type") == get.Header("Content-Type"), () => $"{probe.Subject}: Content-Type {head.Header("Content-Type")}, GET has {get.Header("Content-Type")}: {head}");
            var isMedia = probe.Subject is "segment" or "part" or "init";
            if (isMedia && head.Header("Content-Length") is { } length)
                findings.Check(length == $"{get.Length}", () => $"{probe.Subject}: Content-Length {length}, GET has {get.Length} bytes: {head}");
        }
    }

    /// <summary>RFC 9110 §13.1.2: what has an ETag is not sent again to who has it.</summary>
    public static void Conditional(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.Conditional).Where(probe => probe.Reference!.Status == 200))
        {
            findings.Check(probe.Reference!.Header("ETag") is not null, () => $"{probe.Subject}: no ETag: {probe.Reference}");
            if (probe.Reference.Header("ETag") is not null)
                findings.Check(probe.Exchange is { Status: 304, Length: 0 }, () => $"{probe.Subject}: {probe.Exchange}");
        }
    }

    /// <summary>RFC 9110 §14: ranges of media are honoured, impossible ones refused.</summary>
    public static void Ranges(History history, Findings findings)
    {
        foreach (var probe in history.Of(ProbeKind.Range))
        {
            var range = probe.Exchange.Header("Content-Range");
            findings.Check(probe.Exchange is { Status: 206, Error: null }, () => $"{probe.Subject}: {probe.Exchange.Error} {probe.Exchange}");
            findings.Check(range?.EndsWith($"/{probe.Reference!.Length}", StringComparison.Ordinal) == true, () => $"{probe.Subject}: Content-Range: {range ?? "(none)"}: {probe.Exchange}");
        }

        foreach (var probe in history.Of(ProbeKind.BadRange))
            findings.Check(probe.Exchange.Status == 416, () => $"{probe.Subject}: {probe.Exchange}");
    }

    /// <summary>§4 and RFC 8216 §10: the media types of playlists and of fragmented MP4.</summary>
    public static void Types(History history, Findings findings)
    {
        if (history.MultivariantExchange is { } multivariant)
            Type(multivariant, findings, "application/vnd.apple.mpegurl", "audio/mpegurl");
        foreach (var rendition in history.Renditions)
        {
            foreach (var version in rendition.Versions)
                Type(version.Exchange, findings, "application/vnd.apple.mpegurl", "audio/mpegurl");
            var media = rendition.Parts.Where(part => part.Media is not null).Select(part => part.Exchange)
                .Concat(rendition.Segments.Where(segment => segment.Media is not null).Select(segment => segment.Exchange))
                .Concat(rendition.Inits.Select(init => init.Exchange));
            foreach (var exchange in media.Where(exchange => exchange.Status == 200))
                Type(exchange, findings, "video/mp4", "audio/mp4", "video/iso.segment");
        }
    }

    /// <summary>Whatever the followers asked for, as a player would, they got.</summary>
    public static void Answered(History history, Findings findings)
    {
        foreach (var rendition in history.Renditions)
        {
            foreach (var reload in rendition.Reloads.Where(reload => !history.Disturbed(reload.Exchange.Sent, reload.Exchange.Done)))
                findings.Check(reload.Exchange.Status == 200, () => $"{rendition.Name}: {reload.Exchange}");
            foreach (var exchange in rendition.Segments.Select(segment => segment.Exchange).Concat(rendition.Inits.Select(init => init.Exchange)))
                findings.Check(exchange.Status is 200 or 206, () => $"{rendition.Name}: {exchange}");
        }
    }

    /// <summary>Apple's advice: a part target above the 95th percentile of round trips, and deltas where the window is above two minutes.</summary>
    public static void Advice(History history, Findings findings)
    {
        var trips = history.Of(ProbeKind.Plain).Select(probe => probe.Exchange.Elapsed.TotalSeconds).Order().ToArray();
        foreach (var rendition in history.Renditions)
        {
            if (rendition.Last is not { PartTarget: { } target } last)
                continue;
            findings.Largest("PART-TARGET", target, "s");
            if (trips.Length >= 5)
                findings.Check(target >= trips[(int)(trips.Length * 0.95)], () => $"{rendition.Name}: PART-TARGET={target}, the 95th percentile of round trips is {trips[(int)(trips.Length * 0.95)]:0.###} s");
            if (last.Duration > 120)
                findings.Check(last.SkipBoundary is not null, () => $"{rendition.Name}: a window of {last.Duration:0} s without CAN-SKIP-UNTIL");
            KeyFrames(rendition, findings);
        }
    }

    private static void KeyFrames(RenditionHistory rendition, Findings findings)
    {
        var keys = rendition.Segments.Where(segment => segment.Media?.Main is { IsVideo: true }).SelectMany(segment => segment.Media!.Main!.Syncs).Order().ToArray();
        for (var i = 1; i < keys.Length; i++)
            findings.Largest("key frame interval", keys[i] - keys[i - 1], "s");
    }

    private static void Type(Exchange exchange, Findings findings, params ReadOnlySpan<string> allowed)
    {
        var type = exchange.Header("Content-Type");
        var semicolon = type?.IndexOf(';', StringComparison.Ordinal) ?? -1;
        var bare = (semicolon < 0 ? type : type![..semicolon])?.Trim();
        var known = false;
        foreach (var name in allowed)
            known |= string.Equals(name, bare, StringComparison.OrdinalIgnoreCase);
        findings.Check(known, () => $"Content-Type: {type ?? "(none)"}: {exchange}");
    }

    private static bool Names(string? list, string name) =>
        list?.Split(',').Any(item => string.Equals(item.Trim(), name, StringComparison.OrdinalIgnoreCase)) == true;
}
