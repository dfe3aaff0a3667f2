using System.Text;
using Millrace.Node.Hls;
using Millrace.Node.Http;
using Millrace.Node.Settings;

namespace Millrace.Node.Tests.Hls;

public sealed class HlsRequestCacheTests
{
    private static readonly NodeSettings Settings = new()
    {
        Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName }, new VhostSettings { Name = "a.example" }],
    };

    private readonly HlsRequestCache _cache = new(Settings);

    [Fact]
    public void The_same_words_are_parsed_once()
    {
        var first = Get("/live/x/llhls.m3u8?token=1");

        Get("/live/x/llhls.m3u8?token=1").ShouldBeSameAs(first);
        Get("/live/x/llhls.m3u8?token=2").ShouldNotBeSameAs(first);
        Get("/live/y/llhls.m3u8?token=1").Streams.ShouldNotBe(first.Streams);
    }

    [Fact]
    public void The_same_target_of_another_host_is_another_request()
    {
        Get("/live/x/llhls.m3u8", "a.example").Streams.Single().Vhost.ShouldBe("a.example");
        Get("/live/x/llhls.m3u8", "b.example").Streams.Single().Vhost.ShouldBe(VhostSettings.DefaultName);
        Get("/live/x/llhls.m3u8", "a.example").Streams.Single().Vhost.ShouldBe("a.example");
    }

    [Fact]
    public void A_flood_of_names_holds_no_memory()
    {
        for (var i = 0; i < 1_000; i++)
            Get(Name(i));
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var i = 0; i < 200_000; i++)
            Get(Name(i));

        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(4 << 20);
        Get("/live/x/llhls.m3u8").Streams.Single().Name.ShouldBe("x");
        string Name(int i) => $"/live/{i}{(i % 2 == 0 ? new string('a', 3_000) : "")}/llhls.m3u8";
    }

    private HlsRequest Get(string target, string host = "localhost")
    {
        var bytes = Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        HttpRequestHead.TryParse(bytes, out var head).ShouldBeTrue();
        return _cache.Get(head);
    }
}
