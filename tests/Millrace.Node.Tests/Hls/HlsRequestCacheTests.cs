using System.Runtime.CompilerServices;
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
    private long _now;

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

    [Fact]
    public void Words_that_come_again_outlive_a_flood_of_words_that_come_once()
    {
        var hot = Enumerable.Range(0, 100).Select(i => Get($"/live/{i}/llhls.m3u8")).ToArray();

        for (var flood = 0; flood < 10_000; flood++)
        {
            Get($"/live/x/llhls.m3u8?token={flood}");
            Get($"/live/{flood % 100}/llhls.m3u8").ShouldBeSameAs(hot[flood % 100]);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(511)]
    [InlineData(1_022)]
    [InlineData(1_023)]
    public void A_word_stays_while_1_024_others_come_in_between(int before)
    {
        for (var i = 0; i < before; i++)
            Get($"/live/before/llhls.m3u8?token={i}");
        var first = Get("/live/x/llhls.m3u8");
        for (var i = 0; i < 1_024; i++)
            Get($"/live/between/llhls.m3u8?token={i}");

        Get("/live/x/llhls.m3u8").ShouldBeSameAs(first);
    }

    [Fact]
    public void Words_that_come_once_a_generation_stay_and_those_that_do_not_are_forgotten()
    {
        var stays = Get("/live/stays/llhls.m3u8");
        var ended = GetWeakly("/live/ended/llhls.m3u8");
        for (var turn = 1; turn <= 2; turn++)
        {
            _now += HlsRequestCache.GenerationMicros;
            Get("/live/stays/llhls.m3u8").ShouldBeSameAs(stays);
        }

        GC.Collect();
        ended.IsAlive.ShouldBeFalse();
    }

    [Fact]
    public void Words_are_forgotten_though_nobody_asks_for_anything_any_more()
    {
        var ended = GetWeakly("/live/ended/llhls.m3u8");
        for (var turn = 1; turn <= 2; turn++)
        {
            _now += HlsRequestCache.GenerationMicros;
            _cache.Sweep(_now);
        }

        GC.Collect();
        ended.IsAlive.ShouldBeFalse();
    }

    /// <summary>In a method of its own, so that no local of the test keeps it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference GetWeakly(string target) => new(Get(target));

    private HlsRequest Get(string target, string host = "localhost")
    {
        var bytes = Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        HttpRequestHead.TryParse(bytes, out var head).ShouldBeTrue();
        return _cache.Get(head, _now);
    }
}
