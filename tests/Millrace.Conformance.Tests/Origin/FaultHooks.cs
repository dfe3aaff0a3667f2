using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;

namespace Millrace.Conformance.Tests.Origin;

/// <summary>What the faults are made of.</summary>
internal static partial class Faults
{
    private static readonly Task<HttpResponseMessage?> Nothing = Task.FromResult<HttpResponseMessage?>(null);

    /// <param name="also">Rules that cannot help seeing it too.</param>
    private static Fault Of(string name, string rule, Action<ScriptedOrigin> apply, string also = "") => new(name, also.Length > 0 ? $"{rule} {also}" : rule, apply);

    private static Fault Text(string name, string rule, Func<string, string> rewrite, string also = "") =>
        Of(name, rule, origin => origin.Rewrite = (_, text) => rewrite(text), also);

    private static string Without(string text, params string[] tags) =>
        string.Join('\n', text.Split('\n').Where(line => !tags.Any(tag => line.StartsWith(tag, StringComparison.Ordinal))));

    /// <summary>Adds to the number after the words.</summary>
    private static string Number(string text, string words, int add) => Regex.Replace(
        text,
        $"(?<={words})[0-9]+",
        match => (int.Parse(match.Value, CultureInfo.InvariantCulture) + add).ToString(CultureInfo.InvariantCulture));

    private static bool Query(HttpRequestMessage request, string pattern) => Regex.IsMatch(request.RequestUri!.Query, pattern);

    private static bool Path(HttpRequestMessage request, string pattern) => Regex.IsMatch(request.RequestUri!.AbsolutePath, pattern);

    private static Task<HttpResponseMessage?> Status(HttpStatusCode status)
    {
        var response = new HttpResponseMessage(status);
        Cache(response, "max-age=1");
        return Task.FromResult<HttpResponseMessage?>(response);
    }

    private static void Cache(HttpResponseMessage response, string value)
    {
        response.Headers.Remove("Cache-Control");
        response.Headers.TryAddWithoutValidation("Cache-Control", value);
    }

    private static Task<HttpResponseMessage?> Gone(HttpRequestMessage request, string pattern, Func<int, bool> gone)
    {
        var match = Regex.Match(request.RequestUri!.AbsolutePath, pattern);
        return match.Success && gone(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)) ? Status(HttpStatusCode.NotFound) : Nothing;
    }

    private static bool Asks(HttpRequestMessage request, out int msn, out int part)
    {
        var match = Regex.Match(request.RequestUri!.Query, "^\\?_HLS_msn=([0-9]{1,9})(&_HLS_part=([0-9]{1,3}))?$");
        (msn, part) = match.Success ? (int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), match.Groups[3].Success ? int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture) : -1) : (0, 0);
        return match.Success;
    }

    private static bool TooFar(ScriptedOrigin origin, HttpRequestMessage request) =>
        Asks(request, out var msn, out var part) && (msn > (origin.Published / 4) + 1 || part > 8);

    private static bool Past(ScriptedOrigin origin, HttpRequestMessage request) => Asks(request, out var msn, out _) && msn < (origin.Published / 4) - 1;

    private static bool IsFuture(ScriptedOrigin origin, HttpRequestMessage request)
    {
        var match = Regex.Match(request.RequestUri!.AbsolutePath, "_s([0-9]+)_p([0-3])\\.mp4$");
        return match.Success && (int.Parse(match.Groups[1].Value) * 4) + int.Parse(match.Groups[2].Value) == origin.Published;
    }

    /// <summary>The origin's own answer to the same address without its query and headers.</summary>
    private static async Task<HttpResponseMessage?> Plain(ScriptedOrigin origin, HttpRequestMessage request, string cache)
    {
        var response = await origin.AnswerAsync(new HttpRequestMessage(HttpMethod.Get, request.RequestUri!.GetLeftPart(UriPartial.Path)));
        Cache(response, cache);
        return response;
    }

    private static async Task<HttpResponseMessage?> Later(ScriptedOrigin origin, HttpRequestMessage request, double seconds)
    {
        await origin.DelayAsync(seconds);
        return await origin.AnswerAsync(request);
    }

    /// <summary>The headers at once, the body when the part is ready.</summary>
    private static Task<HttpResponseMessage?> Trickled(ScriptedOrigin origin, HttpRequestMessage request)
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new LateStream(() => origin.AnswerAsync(request))) };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue("video/mp4");
        Cache(response, "max-age=12");
        return Task.FromResult<HttpResponseMessage?>(response);
    }

    private static Task<HttpResponseMessage?> Without(ScriptedOrigin origin, HttpRequestMessage request, string header)
    {
        if (!request.Headers.Contains(header))
            return Nothing;
        request.Headers.Remove(header);
        return origin.AnswerAsync(request)!;
    }

    private static void Append(HttpResponseMessage response, string text)
    {
        if (response.StatusCode == HttpStatusCode.OK)
            Change(response, body => [.. body, .. Encoding.UTF8.GetBytes(text)]);
    }

    private static void Change(HttpResponseMessage response, Func<byte[], byte[]> change)
    {
        var old = response.Content;
        response.Content = new ByteArrayContent(change(old.ReadAsByteArrayAsync().GetAwaiter().GetResult()));
        response.Content.Headers.ContentType = old.Headers.ContentType;
    }

    /// <summary>A body that is fetched when it is read.</summary>
    private sealed class LateStream(Func<Task<HttpResponseMessage>> fetch) : MemoryStream
    {
        private bool _fetched;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_fetched)
            {
                _fetched = true;
                Write(await (await fetch()).Content.ReadAsByteArrayAsync(cancellationToken));
                Position = 0;
            }

            return Read(buffer.Span);
        }
    }
}
