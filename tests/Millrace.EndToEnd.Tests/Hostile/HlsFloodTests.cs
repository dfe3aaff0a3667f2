using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Hostile;

/// <summary>Very many HLS requests that want nothing, or wait for nothing.</summary>
public sealed class HlsFloodTests
{
    private const int PerSecond = 10_000;
    private const int Seconds = 3;
    private const int Waiting = 2_000;

    /// <summary>What the second of two equal attacks may leave behind beyond what the first has left.</summary>
    private const long MemoryAllowance = 20L << 20;

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["MILLRACE__PUBLISH__GRACE"] = "1s",
        ["MILLRACE__HLS__SEGMENT"] = "2s",
        ["MILLRACE__SHUTDOWN__DEADLINE"] = "5s",
    };

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact(Timeout = 120_000)]
    public async Task Polls_for_what_is_missing_or_far_ahead_disturb_nobody()
    {
        await using var server = await MillraceServer.StartAsync("", Settings);
        await using var bystander = await Bystander.StartAsync(server);
        using var client = new HlsClient(server, "live/bystander");
        await client.UntilAsync(client.TsUrl, playlist => playlist.Segments.Count > 0, Soon);
        await using var player = Ffmpeg.Digest(client.TsUrl);
        var media = new Uri(await client.RenditionUrlAsync("video")).AbsolutePath;

        var missing = await HttpFlood.RunAsync(
            server, Seconds * PerSecond, PerSecond, "404", i => i % 2 == 0 ? "/live/none/llhls.m3u8" : $"/live/none{i}.m3u8");
        var ahead = await HttpFlood.RunAsync(server, PerSecond / 2, PerSecond, "400", _ => media + "?_HLS_msn=999999");

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Seconds * PerSecond} missing names in {missing.TotalSeconds:0.0} s, {PerSecond / 2} numbers far ahead in {ahead.TotalSeconds:0.0} s");
        var clip = await FrameDigest.OfFileAsync(Clip);
        // The clip begins with sound; HLS begins with its first key frame.
        (await FrameDigest.CollectAsync(player, Soon)).ShouldBeStretchOf(clip, minimumPictures: clip.VideoFrames.Count);
        await bystander.ShouldNotHaveNoticedAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task Clients_that_wait_and_leave_leave_nothing_behind()
    {
        await using var server = await MillraceServer.StartAsync("publish:\n  grace: 60s\n  idle_timeout: 0\nhls:\n  segment: 6s");
        await using var publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), loop: true);
        using var client = new HlsClient(server, "live/bbb");
        var playlist = await client.UntilAsync(client.TsUrl, playlist => playlist.Segments.Count > 0, Soon);
        var url = await client.RenditionUrlAsync("video");
        publisher.Freeze();
        var next = (await client.PlaylistAsync(url)).Segments.Count + 1;
        var request = HostileBytes.Http($"GET {new Uri(url).AbsolutePath}?_HLS_msn={next}&_HLS_part=0 HTTP/1.1\r\nHost: h\r\n\r\n");
        playlist.TargetSeconds.ShouldBeGreaterThanOrEqualTo(6, "what is asked for below is waited for");

        await WaitAndLeaveAsync(server, request);
        var memory = server.ResidentBytes();
        await WaitAndLeaveAsync(server, request);

        TestContext.Current.TestOutputHelper?.WriteLine($"memory {memory >> 20} MB, then {server.ResidentBytes() >> 20} MB");
        (server.ResidentBytes() - memory).ShouldBeLessThan(MemoryAllowance);
        (await server.StatusAsync("/health")).ShouldBe(HttpStatusCode.OK);
        await StayAsync(server, request, publisher, new Regex($"#EXT-X-PART:DURATION=[0-9.]+,URI=\"part_0_{next}_0_video_"));
    }

    /// <summary>Those who do not leave get what they wait for: so the others had waited for it, too.</summary>
    private static async Task StayAsync(MillraceServer server, byte[] request, ChildProcess publisher, Regex expected)
    {
        using var client = await HostileClient.ConnectAsync(server.HttpPort);
        await client.SendAsync(request);
        await Ports.ReadAsync(server.HttpPort, 1, Soon);
        publisher.Thaw();
        var text = "";
        while (!expected.IsMatch(text))
        {
            var more = await client.ReceiveAsync().WaitAsync(Soon, TestContext.Current.CancellationToken);
            more.Length.ShouldBeGreaterThan(0, text);
            text += Encoding.ASCII.GetString(more.Span);
        }

        text.ShouldStartWith("HTTP/1.1 200 ");
    }

    private static async Task WaitAndLeaveAsync(MillraceServer server, byte[] request)
    {
        var before = server.Descriptors();
        var clients = new List<HostileClient>();
        for (var i = 0; i < Waiting; i++)
        {
            clients.Add(await HostileClient.ConnectAsync(server.HttpPort));
            await clients[^1].SendAsync(request);
        }

        await Ports.ReadAsync(server.HttpPort, Waiting, Soon);
        // The server answers others meanwhile: after that it would have answered these, too, if it had anything to say.
        (await server.StatusAsync("/health")).ShouldBe(HttpStatusCode.OK);
        clients.Count(client => client.Available > 0).ShouldBe(0, "answered although nothing new has come");
        server.Descriptors().ShouldBeGreaterThanOrEqualTo(before + Waiting);
        clients.ForEach(client => client.Dispose());
        await Wait.UntilAsync(() => Task.FromResult(server.Descriptors() <= before), Soon, () => $"{server.Descriptors()} descriptors, {before} before");
    }
}
