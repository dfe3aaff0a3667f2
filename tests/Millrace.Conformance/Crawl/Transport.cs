using System.Net.Http.Headers;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl;

/// <summary>One request to make. The time limit covers the whole answer.</summary>
internal sealed record Ask(Uri Uri)
{
    public HttpMethod Method { get; init; } = HttpMethod.Get;

    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Header name and value; none for the usual request.</summary>
    public (string Name, string Value)? Header { get; init; }

    /// <summary>HTTP/2 over TLS and HTTP/1.1 otherwise, unless this says something else.</summary>
    public Version? Version { get; init; }

    /// <summary>The address with directives added to its query.</summary>
    public static Uri With(Uri uri, string directives) =>
        new(uri.GetLeftPart(UriPartial.Path) + (uri.Query.Length > 1 ? uri.Query + "&" : "?") + directives);
}

/// <summary>Makes requests and takes the times. An HttpMessageInvoker adds nothing to what is sent, neither headers nor retries.</summary>
internal sealed class Transport(HttpMessageInvoker invoker, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>Time since the start of the crawl.</summary>
    public TimeSpan Now => time.GetElapsedTime(_start);

    public TimeProvider Time => time;

    /// <summary>Never throws for what the server does; only when the crawl itself is cancelled.</summary>
    public async Task<Exchange> SendAsync(Ask ask, CancellationToken stop)
    {
        using var request = Request(ask);
        using var limit = new CancellationTokenSource(ask.Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        var exchange = new Exchange { Method = ask.Method.Method, Uri = ask.Uri, FinalUri = ask.Uri, Asked = Asked(ask), Sent = Now };
        try
        {
            using var response = await invoker.SendAsync(request, either.Token);
            exchange = exchange with
            {
                HeadersAt = Now,
                FirstByteAt = Now,
                FinalUri = response.RequestMessage?.RequestUri ?? ask.Uri,
                Version = response.Version,
                Headers = HeadersOf(response),
            };
            var (body, first) = await ReadAsync(response, either.Token);
            return exchange with { FirstByteAt = first ?? exchange.HeadersAt, Done = Now, Status = (int)response.StatusCode, Body = body, Length = body.Length };
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            return exchange with { Done = Now, Error = $"no whole answer within {ask.Limit.TotalSeconds:F0} s" };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return exchange with { Done = Now, Error = e.Message };
        }
    }

    private static HttpRequestMessage Request(Ask ask)
    {
        var secure = ask.Uri.Scheme == Uri.UriSchemeHttps;
        var request = new HttpRequestMessage(ask.Method, ask.Uri)
        {
            Version = ask.Version ?? (secure ? new(2, 0) : new(1, 1)),
            VersionPolicy = ask.Version is null ? HttpVersionPolicy.RequestVersionOrLower : HttpVersionPolicy.RequestVersionExact,
        };
        if (ask.Header is { } header)
            request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        return request;
    }

    private static Dictionary<string, string> Asked(Ask ask)
    {
        var asked = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (ask.Header is { } header)
            asked[header.Name] = header.Value;
        return asked;
    }

    private static Dictionary<string, string> HeadersOf(HttpResponseMessage response)
    {
        var all = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var headers in new HttpHeaders[] { response.Headers, response.Content.Headers })
        {
            foreach (var (name, values) in headers.NonValidated)
                all[name] = values.ToString();
        }

        return all;
    }

    private async Task<(byte[] Body, TimeSpan? First)> ReadAsync(HttpResponseMessage response, CancellationToken stop)
    {
        TimeSpan? first = null;
        var whole = new MemoryStream();
        var buffer = new byte[64 * 1024];
        await using var stream = await response.Content.ReadAsStreamAsync(stop);
        int read;
        while ((read = await stream.ReadAsync(buffer, stop)) > 0)
        {
            first ??= Now;
            whole.Write(buffer, 0, read);
        }

        return (whole.ToArray(), first);
    }
}
