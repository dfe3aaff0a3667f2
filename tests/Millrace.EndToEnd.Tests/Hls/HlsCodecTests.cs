using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hls;

/// <summary>Codecs beside H.264 and AAC: a live player that is there from the first segment on decodes exactly what was published.</summary>
public sealed class HlsCodecTests
{
    private const int ClipSeconds = 4;

    /// <summary>The published times are whole milliseconds.</summary>
    private const double MillisecondTolerance = 0.0011;

    private const string Settings = """
        publish:
          grace: 1s
        hls:
          segment: 1s
          part: 200ms
        """;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Theory(Timeout = 90_000)]
    [InlineData("hvc1", "ac-3", true, "-c:v libx265 -preset ultrafast -x265-params bframes=2:keyint=30:min-keyint=30:log-level=error -tag:v hvc1 -c:a ac3")]
    [InlineData("av01", "opus", false, "-c:v libsvtav1 -preset 12 -g 30 -c:a libopus")]
    [InlineData("vp09", "fLaC", false, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30 -c:a flac -strict experimental")]
    public async Task Enhanced_rtmp_reaches_players_in_full(string video, string audio, bool hasTs, string encoders)
    {
        using var folder = new TemporaryFolder();
        var clip = folder.File("clip.mp4");
        await Ffmpeg.MakeClipAsync(clip, ClipSeconds, [.. encoders.Split(' '), "-movflags", "frag_keyframe+delay_moov+default_base_moof", "-use_editlist", "0"]);
        var tags = EnhancedTags.Of(new FragmentedFile(await File.ReadAllBytesAsync(clip, TestContext.Current.CancellationToken)));

        await ShouldPlayAsync(clip, hasTs, $"CODECS=\"{video}", $",{audio}\"", async server =>
        {
            using var publisher = await TagPublisher.ConnectAsync(server, "clip");
            await publisher.PlayAsync(tags);
        });
    }

    [Fact(Timeout = 90_000)]
    public async Task Mp3_reaches_players_in_full()
    {
        using var folder = new TemporaryFolder();
        var clip = folder.File("clip.flv");
        await Ffmpeg.MakeClipAsync(clip, ClipSeconds, [.. "-c:v libx264 -preset veryfast -g 30 -sc_threshold 0 -c:a libmp3lame -ar 44100".Split(' ')]);

        await ShouldPlayAsync(clip, hasTs: true, "CODECS=\"avc1.", ",mp4a.6B\"", async server =>
        {
            await using var publisher = Ffmpeg.PublishFile(clip, server.Rtmp("live/clip"));
            (await publisher.ExitAsync(Soon)).ShouldBe(0, publisher.Tail());
        });
    }

    private static async Task ShouldPlayAsync(string clip, bool hasTs, string video, string audio, Func<MillraceServer, Task> publish)
    {
        await using var server = await MillraceServer.StartAsync(Settings);
        using var client = new HlsClient(server, "live/clip");
        var publisher = publish(server);
        var master = await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        master.Text.ShouldContain(video);
        master.Text.ShouldContain(audio);
        foreach (var rendition in master.Renditions)
            await client.UntilAsync(client.InFolder(rendition), playlist => playlist.Segments.Count > 0, Soon);
        await using var player = Ffmpeg.Digest(client.LowLatencyUrl);
        await using var tsPlayer = hasTs ? Ffmpeg.Digest(client.TsUrl) : null;

        await publisher;
        var source = await FrameDigest.OfFileAsync(clip);
        (await FrameDigest.CollectAsync(player, Soon)).ShouldEqual(source, MillisecondTolerance);
        if (tsPlayer is not null)
            (await FrameDigest.CollectAsync(tsPlayer, Soon)).ShouldEqual(source, MillisecondTolerance);
    }
}
