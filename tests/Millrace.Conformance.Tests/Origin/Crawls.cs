using Millrace.Conformance.Crawl;

namespace Millrace.Conformance.Tests.Origin;

/// <summary>Crawls a scripted origin in virtual time.</summary>
internal static class Crawls
{
    public static readonly Uri Address = new("https://origin.test/live/master.m3u8");

    private static readonly Lazy<CrawlerReport> GoodReport = new(() => Of(_ => { }));

    /// <summary>The crawl of an origin without fault.</summary>
    public static CrawlerReport Good => GoodReport.Value;

    public static CrawlerReport Of(Action<ScriptedOrigin> fault, double seconds = 30, Func<CrawlerOptions, CrawlerOptions>? options = null, Uri? address = null)
    {
        var time = new VirtualTime();
        using var origin = new ScriptedOrigin(time);
        fault(origin);
        var how = new CrawlerOptions { Handler = origin, Time = time, StartLimit = TimeSpan.FromSeconds(2) };
        how = options?.Invoke(how) ?? how;
        return time.Run(() => Crawler.RunAsync(address ?? Address, TimeSpan.FromSeconds(seconds), how));
    }
}
