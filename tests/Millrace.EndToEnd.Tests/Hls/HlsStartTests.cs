using System.Diagnostics;
using System.Net;
using Millrace.EndToEnd.Harness;
using Millrace.Media.Flv;

namespace Millrace.EndToEnd.Hls;

/// <summary>How soon a viewer can start.</summary>
public sealed class HlsStartTests
{
    private const double GopSeconds = 1;
    private const double PartSeconds = 0.3;

    /// <summary>tracks.settle: how long the first key frame waits for tracks that may still appear.</summary>
    private const double SettleSeconds = 0.3;

    /// <summary>How long the published clip has been running when its first message is sent: the next key frame comes this much less than a GOP later.</summary>
    private const uint MissedMillis = 300;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact(Timeout = 90_000)]
    public async Task A_playlist_is_there_one_gop_and_one_part_after_the_first_byte()
    {
        using var folder = new TemporaryFolder();
        var tags = await MakeTagsAsync(folder, seconds: 3);
        await using var server = await MillraceServer.StartAsync("hls:\n  part: 300ms\n  segment: 6s");
        using var client = new HlsClient(server, "live/clip");
        // Both paths have run once, so that no code has to be compiled first.
        (await client.GetAsync(client.LowLatencyUrl)).Status.ShouldBe(HttpStatusCode.NotFound);

        var control = FirstKeyFrameAsync(server.Http("live/clip.flv?wait=10s"));
        await Ports.ConnectedAsync(server.HttpPort, 2, Soon);
        using var publisher = await TagPublisher.ConnectAsync(server, "clip");
        var started = Stopwatch.GetTimestamp();
        var publishing = publisher.PlayAsync(tags);
        await client.UntilAsync(client.LowLatencyUrl, playlist => playlist.Renditions.Count == 2, Soon);
        var playable = Stopwatch.GetElapsedTime(started).TotalSeconds;

        var keyFrame = Stopwatch.GetElapsedTime(started, await control).TotalSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine($"playlist {playable:0.000} s; key frame by FLV {keyFrame:0.000} s");
        // What the machine makes of the key frame's own time is no fault of HLS.
        var late = Math.Max(0, keyFrame - (GopSeconds - (MissedMillis / 1_000.0) + SettleSeconds));
        playable.ShouldBeLessThanOrEqualTo(GopSeconds + PartSeconds + late);
        var playlist = await client.PlaylistAsync(await client.RenditionUrlAsync("video"));
        (await client.BytesAsync(client.InFolder(playlist.OpenParts[0]))).Length.ShouldBeGreaterThan(0);
        await publishing;
    }

    [Fact(Timeout = 90_000)]
    public async Task A_warm_stream_has_its_playlist_at_once()
    {
        using var folder = new TemporaryFolder();
        var tags = await MakeTagsAsync(folder, seconds: 8);
        // The log is too short to make up for what is not packaged while it comes.
        await using var server = await MillraceServer.StartAsync("streams:\n  log_duration: 1s\nhls:\n  part: 300ms\n  segment: 1s\n  warm: always");
        using var client = new HlsClient(server, "live/clip");
        using var other = new HlsClient(server, "live/none");
        (await other.GetAsync(other.LowLatencyUrl)).Status.ShouldBe(HttpStatusCode.NotFound);
        using var publisher = await TagPublisher.ConnectAsync(server, "clip");
        // Nothing comes any more that a request could wait for.
        await publisher.PlayAsync(tags);

        var control = await other.GetAsync(other.LowLatencyUrl);
        var master = await client.GetAsync(client.LowLatencyUrl);
        var media = await client.GetAsync(client.InFolder(master.Playlist.Rendition("video")));

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"multivariant {master.Took.TotalSeconds:0.000} s, media {media.Took.TotalSeconds:0.000} s; a missing one {control.Took.TotalSeconds:0.000} s");
        media.Playlist.Segments.Count.ShouldBe(7);
        (master.Took + media.Took).TotalSeconds.ShouldBeLessThan((2 * control.Took.TotalSeconds) + PartSeconds);
    }

    /// <summary>A clip of which the first 300 ms are missing but for the sequence headers: it begins in the middle of a GOP.</summary>
    private static async Task<List<MediaTag>> MakeTagsAsync(TemporaryFolder folder, int seconds)
    {
        var clip = folder.File("clip.flv");
        await Ffmpeg.MakeClipAsync(clip, seconds, [.. "-c:v libx264 -preset veryfast -tune zerolatency -g 30 -sc_threshold 0 -c:a aac".Split(' ')]);
        return [.. Read(await File.ReadAllBytesAsync(clip, TestContext.Current.CancellationToken))];
    }

    private static List<MediaTag> Read(ReadOnlySpan<byte> flv)
    {
        var tags = new List<MediaTag>();
        var reader = new FlvTagReader();
        while (reader.TryRead(flv, out var consumed, out var tag))
        {
            flv = flv[consumed..];
            if (tag.Type != FlvTagType.Script && (tag.TimestampMs >= MissedMillis || tag.Body[1] == 0))
                tags.Add(new MediaTag(tag.Type == FlvTagType.Video, Math.Max(tag.TimestampMs, MissedMillis) - MissedMillis, tag.Body.ToArray()));
        }

        return tags;
    }

    /// <summary>When a viewer by HTTP-FLV has the first key frame.</summary>
    private static async Task<long> FirstKeyFrameAsync(string url)
    {
        using var http = new HttpClient { Timeout = Soon };
        using var response = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var (buffer, held) = (new byte[1 << 20], 0);
        var reader = new FlvTagReader();
        while (true)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(held), TestContext.Current.CancellationToken);
            read.ShouldBeGreaterThan(0);
            held += read;
            if (HasKeyFrame(reader, buffer, ref held))
                return Stopwatch.GetTimestamp();
        }
    }

    private static bool HasKeyFrame(FlvTagReader reader, byte[] buffer, ref int held)
    {
        var at = 0;
        while (true)
        {
            var isTag = reader.TryRead(buffer.AsSpan(at, held - at), out var consumed, out var tag);
            at += consumed;
            if (isTag && tag.Type == FlvTagType.Video && tag.Body[0] == 0x17 && tag.Body[1] == 1)
                return true;
            if (isTag)
                continue;
            buffer.AsSpan(at, held - at).CopyTo(buffer);
            held -= at;
            return false;
        }
    }
}
