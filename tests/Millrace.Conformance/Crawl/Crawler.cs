using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;
using Millrace.Conformance.Rules;

namespace Millrace.Conformance.Crawl;

/// <summary>The crawl could not begin.</summary>
internal sealed class CrawlException(string message) : Exception(message);

/// <summary>Follows every Media Playlist of a stream for a time, probes beside it, and judges what it saw.</summary>
internal sealed class Crawler
{
    /// <summary>What the probes need for a playlist that has ended.</summary>
    private static readonly TimeSpan AfterEnd = TimeSpan.FromSeconds(3);

    private readonly CrawlerOptions _options;
    private readonly Transport _transport;
    private readonly Recorder _recorder;

    private Crawler(Uri address, CrawlerOptions options, HttpMessageInvoker invoker)
    {
        _options = options;
        _transport = new(invoker, options.Time);
        _recorder = new(address, options.Tolerance);
    }

    /// <summary>Crawls for <paramref name="time"/> and judges.</summary>
    /// <exception cref="CrawlException">There is no Multivariant Playlist at the address, or it names no playlist.</exception>
    public static async Task<CrawlerReport> RunAsync(Uri multivariant, TimeSpan time, CrawlerOptions? options = null, CancellationToken cancel = default)
    {
        options ??= new();
        using var own = options.Handler is null ? NewHandler(options.Insecure) : null;
        using var invoker = new HttpMessageInvoker(options.Handler ?? own!, disposeHandler: false);
        var history = await new Crawler(multivariant, options, invoker).CrawlAsync(multivariant, time, cancel);
        return new(history, [.. RuleSet.All.Select(rule => rule.Apply(history))]);
    }

    /// <summary>One HTTP/2 connection to a host, so that a held and a quick request must share it; TLS 1.2 is the least that is taken.</summary>
    [SuppressMessage("Security", "CA5359", Justification = "only on demand, for a server under test with a certificate of its own")]
    [SuppressMessage("Security", "CA5398", Justification = "the requirement names the version")]
    private static SocketsHttpHandler NewHandler(bool insecure) => new()
    {
        AutomaticDecompression = DecompressionMethods.None,
        EnableMultipleHttp2Connections = false,
        UseCookies = false,
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            RemoteCertificateValidationCallback = insecure ? (_, _, _, _) => true : null,
        },
    };

    private async Task<History> CrawlAsync(Uri address, TimeSpan time, CancellationToken cancel)
    {
        var playlist = await StartAsync(address, cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var begun = _transport.Now;
        var followers = playlist.Playlists.Select(reference => new Follower(reference, _transport, _recorder)).ToArray();
        var following = followers.Select(follower => follower.RunAsync(stop.Token)).ToArray();
        var beside = new List<Task> { new Prober(address, followers, _transport, _recorder, _options).RunAsync(stop.Token) };
        beside.AddRange(_options.Disturbances.Select(d => DisturbAsync(d, time, followers, stop.Token)));

        var ended = Task.WhenAll(following);
        if (_options.UntilEnd)
            await Quietly(ended);
        var rest = time - (_transport.Now - begun);
        await Quietly(Task.Delay(rest > AfterEnd ? rest : AfterEnd, _options.Time, cancel));
        cancel.ThrowIfCancellationRequested();
        Cancel(stop);
        await Quietly(Task.WhenAll([.. following, .. beside]));
        return _recorder.Snapshot(_transport.Now);
    }

    private async Task<MultivariantPlaylist> StartAsync(Uri address, CancellationToken cancel)
    {
        while (true)
        {
            var exchange = await _transport.SendAsync(new(address), cancel);
            if (exchange.Status == 200)
            {
                var playlist = MultivariantPlaylist.Parse(System.Text.Encoding.UTF8.GetString(exchange.Body.Span), exchange.FinalUri);
                _recorder.Multivariant(exchange, playlist);
                return playlist.Playlists.Count > 0 ? playlist : throw new CrawlException($"no playlists in {address}:\n{playlist.Text}");
            }

            if (_transport.Now > _options.StartLimit)
                throw new CrawlException($"no Multivariant Playlist: {exchange}");
            await Task.Delay(TimeSpan.FromMilliseconds(500), _options.Time, cancel);
        }
    }

    private async Task DisturbAsync(Disturbance disturbance, TimeSpan time, Follower[] followers, CancellationToken stop)
    {
        await Task.Delay(time * disturbance.Fraction, _options.Time, stop);
        var from = _transport.Now;
        _recorder.Disturbed(disturbance.Name, from, TimeSpan.MaxValue);
        await disturbance.Act(stop);
        var recovery = disturbance.Recovery ?? TimeSpan.FromSeconds(3 * (followers[0].Newest?.TargetDuration ?? 2));
        _recorder.Disturbed(disturbance.Name, from, _transport.Now + recovery);
    }

    /// <summary>On this thread: CancelAsync would run what waits on the pool, beyond the reach of a virtual clock.</summary>
    private static void Cancel(CancellationTokenSource stop) => stop.Cancel();

    /// <summary>Waits for the end, however it comes by cancellation; other exceptions are the crawler's own faults and stay.</summary>
    private static async Task Quietly(Task task)
    {
        try
        {
            await task;
        }
        catch (OperationCanceledException)
        {
        }
    }
}
