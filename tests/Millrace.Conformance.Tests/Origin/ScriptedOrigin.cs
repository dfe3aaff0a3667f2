using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Web;

namespace Millrace.Conformance.Tests.Origin;

/// <summary>
/// An origin that does everything right: video and audio, target duration 2 s, four parts of 0.5 s a segment, ten segments, on air for 40
/// s when the crawl begins. The hooks are where a test makes it do one thing wrong.
/// </summary>
internal sealed partial class ScriptedOrigin(TimeProvider time) : HttpMessageHandler
{
    public const int PartsPerSegment = 4;
    public const double PartSeconds = 0.5;
    private const double Head = 40;
    private const double TargetDuration = 2;
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(2);

    private readonly long _start = time.GetTimestamp();

    /// <summary>Changes the text of a playlist: the rendition ("v" or "a"), the text.</summary>
    public Func<string, string, string> Rewrite { get; set; } = (_, text) => text;

    /// <summary>Changes an answer.</summary>
    public Action<HttpRequestMessage, HttpResponseMessage> Answer { get; set; } = (_, _) => { };

    /// <summary>Answers in its place, when it gives something.</summary>
    public Func<HttpRequestMessage, Task<HttpResponseMessage?>> Instead { get; set; } = _ => Task.FromResult<HttpResponseMessage?>(null);

    /// <summary>Changes the bytes of a part: the rendition, the sequence number, the index, the bytes.</summary>
    public Func<string, int, int, byte[], byte[]> Media { get; set; } = (_, _, _, bytes) => bytes;

    public ScriptedPlaylist Playlist { get; } = new();

    /// <summary>When the publisher leaves for good, seconds.</summary>
    public double EndsAt { get; set; } = double.MaxValue;

    /// <summary>The publisher is silent from the one to the other, seconds.</summary>
    public (double From, double To) Stall { get; set; } = (double.MaxValue, double.MaxValue);

    public double Seconds => time.GetElapsedTime(_start).TotalSeconds;

    /// <summary>Parts published so far, all segments together.</summary>
    public int Published => (int)Math.Floor(((MediaSeconds + Head) / PartSeconds) + 1e-9);

    private double MediaSeconds => Math.Min(EndsAt, Seconds < Stall.From ? Seconds : Math.Max(Stall.From, Seconds - (Stall.To - Stall.From)));

    private bool Ended => Seconds >= EndsAt;

    /// <summary>The right answer, for hooks that give it at another time or to another question.</summary>
    public Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request) => RouteAsync(request, CancellationToken.None);

    public Task DelayAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), time);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await Task.Delay(Latency, time, cancellationToken);
        var response = await Instead(request) ?? await RouteAsync(request, cancellationToken);
        response.RequestMessage = request;
        response.Version = request.Version;
        Answer(request, response);
        if (request.Method == HttpMethod.Head)
        {
            var type = response.Content.Headers.ContentType;
            var length = response.Content.Headers.ContentLength;
            response.Content = new ByteArrayContent([]);
            response.Content.Headers.ContentType = type;
            response.Content.Headers.ContentLength = length;
        }

        return response;
    }

    private async Task<HttpResponseMessage> RouteAsync(HttpRequestMessage request, CancellationToken stop)
    {
        var name = request.RequestUri!.Segments[^1];
        if (name == "master.m3u8")
            return Text(request, ScriptedPlaylist.Multivariant, "max-age=1");
        if (name is "v.m3u8" or "a.m3u8")
            return await PlaylistAsync(request, name[..1], stop);
        if (name is "init_v.mp4" or "init_a.mp4")
            return Bytes(request, Mp4Writer.Init(name == "init_v.mp4"));
        var match = MediaName().Match(name);
        if (!match.Success)
            return Refusal(HttpStatusCode.NotFound);
        var (rendition, msn) = (match.Groups["r"].Value, int.Parse(match.Groups["m"].Value));
        if (!match.Groups["p"].Success)
            return msn < Published / PartsPerSegment ? Bytes(request, SegmentBytes(rendition, msn)) : Refusal(HttpStatusCode.NotFound);
        var part = int.Parse(match.Groups["p"].Value);
        var number = (msn * PartsPerSegment) + part;
        if (part >= PartsPerSegment || number > Published)
            return Refusal(HttpStatusCode.NotFound);
        await UntilAsync(number + 1, TimeSpan.FromSeconds(1000), stop);
        return number < Published ? Bytes(request, PartBytes(rendition, msn, part)) : Refusal(HttpStatusCode.NotFound);
    }

    private async Task<HttpResponseMessage> PlaylistAsync(HttpRequestMessage request, string rendition, CancellationToken stop)
    {
        var query = HttpUtility.ParseQueryString(request.RequestUri!.Query);
        var blocking = false;
        if (!Ended)
        {
            if (!Directive(query.GetValues("_HLS_msn"), out var msn) || !Directive(query.GetValues("_HLS_part"), out var part) || (part is not null && msn is null))
                return Refusal(HttpStatusCode.BadRequest);
            var last = (Published / PartsPerSegment) - 1;
            if (msn > last + 2 || (msn == last + 1 && part > (Published % PartsPerSegment) - 1 + (3 / PartSeconds)))
                return Refusal(HttpStatusCode.BadRequest);
            blocking = msn is not null;
            var needed = msn is null ? 0 : ((msn * PartsPerSegment) + (part is null ? PartsPerSegment : Math.Min(part.Value, PartsPerSegment) + 1)).Value;
            if (!await UntilAsync(needed, TimeSpan.FromSeconds(3 * TargetDuration), stop))
                return Refusal(HttpStatusCode.ServiceUnavailable);
        }

        var text = Playlist.Write(rendition, Published, Ended ? null : query["_HLS_skip"], query["_HLS_legacy"] == "YES", Ended);
        return Text(request, Rewrite(rendition, text), blocking ? "max-age=12" : "max-age=1");
    }

    /// <summary>Waits until so many parts are published; false when that takes longer than the limit.</summary>
    private async Task<bool> UntilAsync(long parts, TimeSpan limit, CancellationToken stop)
    {
        var deadline = Seconds + limit.TotalSeconds;
        while (Published < parts && !Ended)
        {
            if (Seconds >= deadline)
                return false;
            var next = (Published + 1) * PartSeconds - Head;
            var due = next > Stall.From ? Math.Max(next + Stall.To - Stall.From, Stall.To) : next;
            var wait = Math.Min(Math.Min(due, EndsAt) - Seconds, deadline - Seconds);
            // Task.Delay knows whole milliseconds only, and rounds down.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait * 1000))), time, stop);
        }

        return true;
    }

    private byte[] PartBytes(string rendition, int msn, int part)
    {
        var video = rendition == "v";
        var (samples, duration) = video ? (15, 3000) : (24, 1000);
        var start = ((((long)msn * PartsPerSegment) + part) * samples * duration) + (Playlist.IsAfterBreak(msn) ? 10L * (video ? Mp4Writer.VideoTimescale : Mp4Writer.AudioTimescale) : 0);
        return Media(rendition, msn, part, Mp4Writer.Fragment(video, start, samples, duration, key: part == 0, flaggedKey: part == 0));
    }

    private byte[] SegmentBytes(string rendition, int msn) =>
        [.. Enumerable.Range(0, PartsPerSegment).SelectMany(part => PartBytes(rendition, msn, part))];

    private static bool Directive(string[]? values, out long? number)
    {
        number = null;
        if (values is null)
            return true;
        if (values.Length != 1 || !int.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out var parsed))
            return false;
        number = parsed;
        return true;
    }

    private static HttpResponseMessage Refusal(HttpStatusCode status)
    {
        var response = new HttpResponseMessage(status);
        response.Headers.TryAddWithoutValidation("Cache-Control", "max-age=1");
        return response;
    }

    private static HttpResponseMessage Text(HttpRequestMessage request, string text, string cache)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var gzip = request.Headers.AcceptEncoding.Any(coding => coding.Value == "gzip");
        var response = Whole(request, gzip ? Zip(bytes) : bytes, "application/vnd.apple.mpegurl", cache);
        response.Headers.Vary.Add("Accept-Encoding");
        if (gzip && response.StatusCode == HttpStatusCode.OK)
            response.Content.Headers.ContentEncoding.Add("gzip");
        return response;
    }

    private static HttpResponseMessage Bytes(HttpRequestMessage request, byte[] bytes)
    {
        if (request.Headers.Range?.Ranges is not { Count: 1 } ranges)
            return Whole(request, bytes, "video/mp4", "max-age=12");
        var range = ranges.First();
        var from = range.From ?? bytes.Length - range.To!.Value;
        var to = range.From is null ? bytes.Length - 1 : Math.Min(range.To ?? bytes.Length - 1, bytes.Length - 1);
        if (from >= bytes.Length)
            return Refusal(HttpStatusCode.RequestedRangeNotSatisfiable);
        var response = Whole(request, bytes[(int)from..((int)to + 1)], "video/mp4", "max-age=12");
        response.StatusCode = HttpStatusCode.PartialContent;
        response.Content.Headers.ContentRange = new ContentRangeHeaderValue(from, to, bytes.Length);
        return response;
    }

    private static HttpResponseMessage Whole(HttpRequestMessage request, byte[] bytes, string type, string cache)
    {
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexString(SHA256.HashData(bytes).AsSpan(0, 8))}\"");
        var fresh = request.Headers.IfNoneMatch.Contains(tag);
        var response = new HttpResponseMessage(fresh ? HttpStatusCode.NotModified : HttpStatusCode.OK) { Content = new ByteArrayContent(fresh ? [] : bytes) };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        response.Headers.ETag = tag;
        response.Headers.TryAddWithoutValidation("Cache-Control", cache);
        return response;
    }

    private static byte[] Zip(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    [GeneratedRegex("^(?<r>[va])_s(?<m>[0-9]+)(_p(?<p>[0-9]+))?\\.mp4$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MediaName();
}
