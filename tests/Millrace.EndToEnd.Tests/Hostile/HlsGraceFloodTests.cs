using System.Diagnostics;
using System.Net;
using System.Text;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Hostile;

/// <summary>Very many requests for what comes next, while the publisher is away: each is answered in its time, and nothing of them stays.</summary>
public sealed class HlsGraceFloodTests
{
    private const int Requests = 1_500;
    private const int TargetSeconds = 1;

    /// <summary>RFC 8216bis 6.2.5.2: nobody is held for longer, in target durations.</summary>
    private const int HoldTargets = 3;

    /// <summary>Of parts of 200 ms: as many as may be asked for ahead, 3 s.</summary>
    private const int AdvanceParts = 14;

    /// <summary>What the second of two equal attacks may leave behind beyond what the first has left.</summary>
    private const long MemoryAllowance = 20L << 20;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory(Timeout = 120_000)]
    [InlineData("1s", true)]
    [InlineData("60s", false)]
    public async Task A_flood_for_parts_and_segments_to_come_ends_with_its_time_or_its_stream(string grace, bool ends)
    {
        using var folder = new TemporaryFolder();
        var clip = folder.File("clip.flv");
        await Ffmpeg.MakeClipAsync(clip, 20, [.. "-c:v libx264 -preset ultrafast -g 30 -sc_threshold 0 -c:a aac".Split(' ')]);
        await using var server = await MillraceServer.StartAsync($"publish:\n  grace: {grace}\nhls:\n  segment: {TargetSeconds}s\n  part: 200ms");
        using var client = new HlsClient(server, "live/clip");

        await AttackAsync(server, client, clip, ends);
        var memory = server.ResidentBytes();
        await AttackAsync(server, client, clip, ends);

        TestContext.Current.TestOutputHelper?.WriteLine($"memory {memory >> 20} MB, then {server.ResidentBytes() >> 20} MB");
        (server.ResidentBytes() - memory).ShouldBeLessThan(MemoryAllowance);
        (await server.StatusAsync("/health")).ShouldBe(HttpStatusCode.OK);
    }

    private static async Task AttackAsync(MillraceServer server, HlsClient client, string clip, bool ends)
    {
        await using var publisher = Ffmpeg.PublishFile(clip, server.Rtmp("live/clip"));
        await server.LiveAsync("default/live/clip");
        await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        var url = await client.RenditionUrlAsync("video");
        (await client.UntilAsync(url, playlist => playlist.Segments.Count > 1, Soon)).TargetSeconds.ShouldBe(TargetSeconds);
        var path = new Uri(url).AbsolutePath;
        var before = server.Descriptors();
        // The control: as many requests that have nothing to wait for.
        var answers = await AskAsync(server, _ => path);
        answers.ShouldAllBe(answer => answer.Status == HttpStatusCode.OK);
        var slack = TimeSpan.FromSeconds(1) + answers.Max(answer => answer.Took);

        publisher.Kill();
        await server.UntilAsync("default/live/clip", "grace");
        var now = await client.PlaylistAsync(url);
        // Two beyond the last whole segment, which is as far as one may ask: nobody has sent any of it.
        var next = now.FirstNumber + now.Segments.Count + 1;
        answers = await AskAsync(server, i => path + Directives(next, i));

        var held = answers.Where((_, i) => !IsTooFar(i)).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"held for {held.Min(answer => answer.Took).TotalSeconds:0.00} to {held.Max(answer => answer.Took).TotalSeconds:0.00} s, allowed {HoldTargets * TargetSeconds} + {slack.TotalSeconds:0.00}");
        held.ShouldAllBe(answer => answer.Status == (ends ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable));
        held.ShouldAllBe(answer => !ends || answer.Playlist.IsEnded);
        held.ShouldAllBe(answer => answer.Took < TimeSpan.FromSeconds(HoldTargets * TargetSeconds) + slack);
        held.ShouldAllBe(answer => ends || answer.Took >= TimeSpan.FromSeconds(HoldTargets * TargetSeconds));
        answers.Where((_, i) => IsTooFar(i)).ShouldAllBe(answer => answer.Status == HttpStatusCode.BadRequest && answer.Took < slack);
        if (ends)
            await Wait.UntilAsync(async () => await server.StatusAsync("/v1/streams/default/live/clip") == HttpStatusCode.NotFound, Soon, () => "the stream lives on");
        await Wait.UntilAsync(() => Task.FromResult(server.Descriptors() <= before), Soon, () => $"{server.Descriptors()} descriptors, {before} before");
    }

    private static bool IsTooFar(int i) => i % 5 == 0;

    /// <summary>All there is to ask for, and what there is not.</summary>
    private static string Directives(long next, int i) =>
        IsTooFar(i) ? $"?_HLS_msn={next + 1 + i}" : i % 5 == 1 ? $"?_HLS_msn={next}" : $"?_HLS_msn={next}&_HLS_part={i % AdvanceParts}&_HLS_skip=YES";

    /// <summary>Each on a connection of its own.</summary>
    private static Task<HlsAnswer[]> AskAsync(MillraceServer server, Func<int, string> path) =>
        Task.WhenAll(Enumerable.Range(0, Requests).Select(i => AskAsync(server, path(i))));

    private static async Task<HlsAnswer> AskAsync(MillraceServer server, string path)
    {
        using var client = await HostileClient.ConnectAsync(server.HttpPort);
        var sent = Stopwatch.GetTimestamp();
        await client.SendAsync(HostileBytes.Http($"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        var answer = new MemoryStream();
        while (await client.ReceiveAsync() is { Length: > 0 } more)
            answer.Write(more.Span);
        var text = Encoding.ASCII.GetString(answer.ToArray());
        text.ShouldStartWith("HTTP/1.1 ", Case.Sensitive, path);
        var body = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        return new HlsAnswer((HttpStatusCode)int.Parse(text.AsSpan(9, 3)), Encoding.ASCII.GetBytes(text[body..]), Stopwatch.GetElapsedTime(sent));
    }
}
