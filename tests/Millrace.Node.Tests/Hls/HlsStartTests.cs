using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;
using Millrace.Streams.Hls;

namespace Millrace.Node.Tests.Hls;

/// <summary>The first request of a stream starts its packager, which takes long. Here it takes until the test lets go of the stream's lock.</summary>
public sealed class HlsStartTests
{
    [Theory]
    [InlineData("/live/x/llhls.m3u8")]
    [InlineData("/live/x.m3u8")]
    public async Task A_shard_serves_others_while_a_packager_starts(string playlist)
    {
        await using var hls = await StartAsync();
        using var first = hls.Node.OpenHttp();
        using var other = hls.Node.OpenHttp();
        using (Hold(hls))
        {
            first.Send(RawHttp.Get(playlist));
            await UntilWaiting(hls, 1);

            other.Send(RawHttp.Get("/live/none.m3u8"));
            other.ReadBody(other.ReadHead()).ShouldContain("not live");
        }

        var answer = first.ReadHead();
        answer.Status.ShouldBe(200);
        first.ReadBody(answer).ShouldStartWith("#EXTM3U\n");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task All_who_ask_while_it_starts_wait_for_the_same_start_and_are_answered(bool isKestrel)
    {
        const int Clients = 200;
        await using var hls = await StartAsync();
        var clients = Enumerable.Range(0, Clients).Select(_ => isKestrel ? hls.Node.OpenKestrel() : hls.Node.OpenHttp()).ToList();
        using (Hold(hls))
        {
            foreach (var client in clients)
                client.Send(RawHttp.Get("/live/x/llhls.m3u8"));
            await UntilWaiting(hls, Clients);

            var starts = hls.Node.Node.Context.HlsStarts;
            starts.Begin(hls.Live!, HlsFormat.LowLatency).ShouldBeSameAs(starts.Begin(hls.Live!, HlsFormat.LowLatency));
        }

        foreach (var client in clients)
            client.ReadBody(client.ReadHead()).ShouldContain("_llhls.m3u8");
        await UntilWaiting(hls, 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_of_another_time_is_not_found_once_the_packager_is_there(bool isKestrel)
    {
        await using var hls = await StartAsync();
        using var client = isKestrel ? hls.Node.OpenKestrel() : hls.Node.OpenHttp();

        client.Send(RawHttp.Get("/live/x/chunklist_0_video_000000000000_llhls.m3u8"));

        client.ReadHead().Status.ShouldBe(404);
    }

    /// <summary>One shard, so that there is none that could serve the others; its publisher has sent all before.</summary>
    private static Task<HlsNode> StartAsync() =>
        HlsNode.StartAsync(static settings => settings with { Shards = new ShardSettings { Count = 1 } }, asks: false);

    private static StreamLock Hold(HlsNode hls) => new(hls.Live!.Gate);

    private static Task UntilWaiting(HlsNode hls, int count) =>
        Wait.Until(() => hls.Node.Node.Context.HlsAudience.Waiting == count, $"{count} requests wait");

    /// <summary>A lock belongs to a thread, and a test changes its own at each await.</summary>
    private sealed class StreamLock : IDisposable
    {
        private readonly ManualResetEventSlim _isHeld = new();
        private readonly ManualResetEventSlim _isOver = new();
        private readonly Thread _holder;

        public StreamLock(Lock gate)
        {
            _holder = new Thread(() =>
            {
                lock (gate)
                {
                    _isHeld.Set();
                    _isOver.Wait();
                }
            });
            _holder.Start();
            _isHeld.Wait();
        }

        public void Dispose()
        {
            _isOver.Set();
            _holder.Join();
            _isHeld.Dispose();
            _isOver.Dispose();
        }
    }
}
