using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Hls;
using Millrace.Node.Relay;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Hls;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>
/// What a media request comes to, resolved once and written by two writers with identical results: the shard's HTTP/1.1
/// writer and the endpoint on Kestrel.
/// </summary>
/// <param name="Status">HTTP status code.</param>
/// <param name="ContentType">Of the body or of the explanation.</param>
/// <param name="Explanation">The body of an answer without media.</param>
/// <param name="Stream">What to play; null where <see cref="Status"/> is an error.</param>
/// <param name="Form">Legacy or enhanced FLV.</param>
/// <param name="WaitMicros">How long to wait for a stream that is not live.</param>
internal sealed record MediaResource(int Status, string ContentType, string Explanation, StreamName? Stream, FlvForm Form, long WaitMicros)
{
    public const string FlvType = "video/x-flv";
    public const string TextType = "text/plain; charset=utf-8";
    public const string NoStore = "no-store";
    private const string Suffix = ".flv";
    private static ReadOnlySpan<byte> SuffixBytes => ".flv"u8;
    private const long MaxWaitMicros = 60_000_000;

    /// <summary>Of who waits for a stream that nobody has.</summary>
    public UpstreamWish? Wish { get; private init; }

    /// <summary>What was asked for, live or not; null when the request names no stream.</summary>
    public StreamName? Asked { get; init; }

    /// <summary>Cache-Control.</summary>
    public string CachePolicy { get; init; } = NoStore;

    /// <summary>The body of an HLS object.</summary>
    public MediaBody Body { get; init; }

    /// <summary>The body of an HLS playlist, which can be had in two encodings.</summary>
    public HlsDocument? Document { get; init; }

    /// <summary>Strong entity tag with its quotes; empty where there is none.</summary>
    public string ETag { get; init; } = "";

    /// <summary>Content-Encoding; empty is identity.</summary>
    public string Encoding { get; init; } = "";

    /// <summary>The answer depends on Accept-Encoding.</summary>
    public bool VariesByEncoding { get; init; }

    /// <summary>Where to look instead (302, 307).</summary>
    public string Location { get; init; } = "";

    /// <summary>Not for everybody: what is fetched with a credential is not shown to who has none.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Set-Cookie; empty where there is none.</summary>
    public string Cookie { get; init; } = "";

    /// <summary>What has to happen before there is an answer; the request is then resolved again.</summary>
    public HlsWait? Wait { get; init; }

    /// <summary>True for paths that name FLV media.</summary>
    public static bool IsMedia(string path) => path.EndsWith(Suffix, StringComparison.Ordinal);

    public static bool IsMedia(ReadOnlySpan<byte> path) => path.EndsWith(SuffixBytes);

    /// <summary>The stream that <c>/app/name.flv</c> is of.</summary>
    public static bool TryParse(NodeContext node, string host, string path, string query, [NotNullWhen(true)] out StreamAddress? address) =>
        StreamAddress.TryParseHttp(node.Settings, host, path[..^Suffix.Length], query, out address, out _);

    /// <summary>Resolves <c>/app/name.flv</c>, with <c>?flv=legacy</c> and <c>?wait=10s</c>.</summary>
    /// <param name="node">The node.</param>
    /// <param name="host">Host header: selects the vhost.</param>
    /// <param name="path">Percent-encoded.</param>
    /// <param name="query">With its question mark or without.</param>
    /// <param name="protocol">How the viewer came.</param>
    public static MediaResource Resolve(NodeContext node, string host, string path, string query, ClientProtocol protocol = ClientProtocol.Other)
    {
        if (!StreamAddress.TryParseHttp(node.Settings, host, path[..^Suffix.Length], query, out var address, out var error))
            return Refuse(400, error);
        var wait = address.Argument("wait");
        var waitMicros = 0L;
        if (wait.Length > 0 && !TryParseWait(wait, out waitMicros))
            return Refuse(400, "wait is a time of at most 60 s, for example 10s or 500ms") with { Asked = address.Name };
        var form = address.Argument("flv") == "legacy" ? FlvForm.Legacy : FlvForm.Enhanced;
        node.Upstreams.Touch(address.Name);
        if (node.Registry.Find(address.Name) is { IsWaiting: false })
            return new MediaResource(200, FlvType, "", address.Name, form, 0) { Asked = address.Name };
        if (Elsewhere(node, node.Redirects.ForViewer(address.Name, query, protocol), protocol, path, query) is { } elsewhere)
            return elsewhere;
        var state = node.Upstreams.Want(address.Name, address.Query, [], out var refusal, UpstreamProtocol.Flv);
        if (waitMicros == 0 && state != UpstreamState.Pending)
            return Missing(address.Name, refusal);
        return new MediaResource(200, FlvType, "", address.Name, form, waitMicros > 0 ? waitMicros : node.Settings.Edge.StartTimeout.ToMicros())
        {
            Asked = address.Name,
            Wish = waitMicros > 0 ? new UpstreamWish(node, address.Name, address.Query, UpstreamProtocol.Flv) : null,
        };
    }

    /// <summary>Sends the viewer to the node that has the stream, or has him wait until that is known; null where he is served here.</summary>
    public static MediaResource? Elsewhere(NodeContext node, RedirectLookup? lookup, ClientProtocol protocol, string path, string query)
    {
        if (lookup is null)
            return null;
        if (!lookup.IsThrough)
        {
            var wait = new HlsWait(lookup.Waiters, HlsCondition.Started, node.Settings.Edge.StartTimeout.ToMicros());
            return Refuse(503, "the cluster's map has not answered in time") with { Asked = lookup.Name, Wait = wait };
        }

        return lookup.HttpUrl(protocol, path, query.TrimStart('?')) is { } url ? Refuse(307, $"the stream is at node {lookup.Owner}") with { Asked = lookup.Name, Location = url } : null;
    }

    /// <summary>A stream is not here.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="refusal">What other nodes have said; null where it is not theirs.</param>
    public static MediaResource Missing(StreamName name, RelayRefusal? refusal) =>
        refusal is { Code: not RelayRefusalCode.NotFound } ? Refuse(RelayStatus.Of(refusal), refusal.Reason) with { Asked = name } : NotLive(name);

    public static MediaResource NotLive(StreamName name) => Refuse(404, $"{name.Path} is not live") with { Asked = name };

    public static MediaResource Unsupported(StreamName name, string what) => Refuse(415, what) with { Asked = name };

    public static MediaResource BadHandshake => Refuse(400, "a WebSocket handshake needs version 13 and a key (RFC 6455 4.2.1)");

    /// <summary>Somebody may not play a stream.</summary>
    public static MediaResource Refuse(AccessVerdict verdict, StreamName name) =>
        Refuse(verdict.Status, verdict.Reason) with { Asked = name, IsPrivate = true };

    public static MediaResource Refuse(int status, string explanation) =>
        new(status, TextType, PlainText.Clean(explanation, 600) + "\n", null, FlvForm.Enhanced, 0);

    /// <summary>Header fields of the answer, but for framing and connection.</summary>
    public void AddFields<T>(NodeSettings settings, ref T fields)
        where T : struct, IFieldSink
    {
        fields.Add("Server", "Millrace");
        fields.Add("Content-Type", ContentType);
        fields.Add("Cache-Control", CachePolicy);
        if (ETag.Length > 0)
            fields.Add("ETag", ETag);
        if (Encoding.Length > 0)
            fields.Add("Content-Encoding", Encoding);
        if (VariesByEncoding)
            fields.Add("Vary", "Accept-Encoding");
        if (Location.Length > 0)
            fields.Add("Location", Location);
        if (Cookie.Length > 0)
            fields.Add("Set-Cookie", Cookie);
        if (Status == 503)
            fields.Add("Retry-After", "1");
        if (Status == 401)
            fields.Add("WWW-Authenticate", "Bearer");
        var origin = settings.Http.Cors.AllowOrigin;
        if (origin.Length > 0)
        {
            fields.Add("Access-Control-Allow-Origin", origin);
            fields.Add("Access-Control-Expose-Headers", "Age, Date");
            if (IsPrivate && origin != "*")
                fields.Add("Access-Control-Allow-Credentials", "true");
        }
    }

    private static bool TryParseWait(string text, out long micros)
    {
        var (digits, unit) = text.EndsWith("ms", StringComparison.Ordinal) ? (text[..^2], 1_000L)
            : text.EndsWith('s') ? (text[..^1], 1_000_000L)
            : (text, 1_000_000L);
        micros = 0;
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > MaxWaitMicros)
            return false;
        micros = count * unit;
        return micros <= MaxWaitMicros;
    }
}
