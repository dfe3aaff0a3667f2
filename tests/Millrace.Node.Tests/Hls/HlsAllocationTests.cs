using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Hls;

/// <summary>What a viewer asks for again and again costs a shard no memory of its own.</summary>
public sealed class HlsAllocationTests
{
    /// <summary>
    /// What a part costs once (its playlist, the request's parsed words) is the same for few and for many. The least of some attempts
    /// counts: what is published while they are being answered makes one playlist more.
    /// </summary>
    [Fact]
    public async Task A_request_that_waits_and_its_answer_allocate_nothing_of_their_own()
    {
        const int Few = 10, Many = 1_000, Rounds = 4, HalfOfOneWait = 100;
        await using var hls = await HlsNode.StartAsync(OneShard);
        var clients = Enumerable.Range(0, Many).Select(_ => hls.Node.OpenHttp()).ToList();
        await Allocated(hls, clients, Rounds);

        var (few, many) = (long.MaxValue, long.MaxValue);
        for (var attempt = 0; attempt < 4; attempt++)
        {
            few = Math.Min(few, await Allocated(hls, clients[..Few], Rounds));
            many = Math.Min(many, await Allocated(hls, clients, Rounds));
        }

        // What a request waits for, and the answer that says so, would be some 200 bytes each time. Playlists more, made while the answers
        // to the one before are on their way, are shared by all, and there are more of them the longer that takes.
        ((many - few) / (double)(Rounds * (Many - Few))).ShouldBeLessThan(HalfOfOneWait, "bytes for each request");
    }

    /// <summary>Nothing is published meanwhile, so the least of some attempts is what the requests themselves cost.</summary>
    /// <param name="pictureBytes">With large ones a segment is more than a socket takes at once, so its answer stops and goes on.</param>
    [Theory]
    [InlineData(200)]
    [InlineData(100_000)]
    public async Task A_part_and_a_segment_that_exist_are_sent_without_allocating_a_byte(int pictureBytes)
    {
        const int Rounds = 20;
        await using var hls = await HlsNode.StartAsync(OneShard, pictureBytes: pictureBytes);
        var (playlist, segment, _) = await hls.Newest();
        string[] targets = [$"/live/x/{HlsNode.Uris(playlist).Last()}", $"/live/x/part_0_{segment - 1}_0_video_{hls.Key}_llhls.m4s"];
        foreach (var target in targets)
        {
            using var client = hls.Node.OpenHttp();
            client.Socket.ReceiveBufferSize = 16 * 1024;
            var least = long.MaxValue;
            for (var attempt = 0; attempt < 4; attempt++)
                least = Math.Min(least, Allocated(hls, client, target, Rounds));

            least.ShouldBe(0, target);
        }
    }

    [Fact]
    public async Task Beside_a_protected_app_an_open_stream_is_sent_without_allocating_a_byte()
    {
        await using var hls = await HlsNode.StartAsync(static settings => OneShard(settings) with
        {
            Vhosts =
            [
                new VhostSettings
                {
                    Name = VhostSettings.DefaultName,
                    Apps = [new AppSettings { Name = "closed", Access = new AccessOverrides { Play = AccessMode.Token, PlayTokens = [new Secret("t")] } }],
                },
            ],
        });
        hls.Node.Node.Context.Access.IsPlayOpen.ShouldBeFalse();
        var (playlist, _, _) = await hls.Newest();
        using var client = hls.Node.OpenHttp();
        var least = long.MaxValue;
        for (var attempt = 0; attempt < 4; attempt++)
            least = Math.Min(least, Allocated(hls, client, $"/live/x/{HlsNode.Uris(playlist).Last()}", rounds: 20));
        least.ShouldBe(0);
    }

    private static NodeSettings OneShard(NodeSettings settings) => settings with { Shards = new ShardSettings { Count = 1 } };

    /// <summary>Bytes that the shard allocates while it answers one request after the other.</summary>
    private static long Allocated(HlsNode hls, RawHttp client, string target, int rounds)
    {
        var shard = hls.Node.Node.Shards.Single();
        var before = shard.AllocatedBytes;
        for (var round = 0; round < rounds; round++)
        {
            client.Send(RawHttp.Get(target));
            var answer = client.ReadHead();
            answer.Status.ShouldBe(200);
            client.SkipBytes(int.Parse(answer.Field("content-length")));
        }

        return shard.AllocatedBytes - before;
    }

    /// <summary>Bytes that the shard allocates while all of them wait for a part and are answered, again and again.</summary>
    private static async Task<long> Allocated(HlsNode hls, List<RawHttp> clients, int rounds)
    {
        var shard = hls.Node.Node.Shards.Single();
        var before = shard.AllocatedBytes;
        for (var round = 0; round < rounds; round++)
        {
            var (_, segment, parts) = await hls.Newest();
            foreach (var client in clients)
                client.Send(RawHttp.Get($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts}"));
            await hls.UntilWaiting(clients.Count);
            await hls.SendAll(6);
            foreach (var client in clients)
                client.ReadBody(client.ReadHead());
            await hls.UntilWaiting(0);
        }

        return shard.AllocatedBytes - before;
    }
}
