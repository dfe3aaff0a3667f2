using System.Globalization;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hls;

/// <summary>What goes in comes out of each form of HLS: every picture, its samples and its time.</summary>
public sealed class HlsFidelityTests(HlsRecording recording) : IClassFixture<HlsRecording>
{
    private const int AesKeyBytes = 16;

    [Theory]
    [InlineData("ts both")]
    [InlineData("fmp4 both")]
    [InlineData("legacy both")]
    [InlineData("aes both")]
    public void A_live_player_decodes_exactly_the_source(string form) => recording.Played(form).ShouldEqual(recording.Source);

    [Theory]
    [InlineData("fmp4 sound", "audio")]
    [InlineData("ts picture", "video")]
    [InlineData("fmp4 picture", "video")]
    public void A_single_track_is_complete(string form, string kind) => recording.Played(form).ShouldEqual(recording.Source.Only(kind));

    /// <summary>Of its segments: ffmpeg's HLS reader gives the second frame the time of the first, also of its own muxer's files.</summary>
    [Fact]
    public async Task Sound_alone_is_complete_in_ts() =>
        (await FrameDigest.OfFileAsync(recording.Joined("ts sound"))).ShouldEqual(recording.Source.Only("audio"));

    [Fact]
    public async Task Whole_ts_segments_hold_exactly_the_source() =>
        (await FrameDigest.OfFileAsync(recording.Joined("ts"))).ShouldEqual(recording.Source);

    [Fact]
    public async Task Whole_fmp4_segments_hold_exactly_the_source() =>
        (await FrameDigest.OfFileAsync(recording.Joined("video"), recording.Joined("audio"))).ShouldEqual(recording.Source);

    /// <summary>RFC 8216bis 5.2: AES-128 in CBC mode with PKCS7 padding; without an IV attribute the media sequence number is the IV.</summary>
    [Fact]
    public async Task Openssl_decrypts_encrypted_segments_to_exactly_the_source()
    {
        var joined = recording.NewFile("decrypted.ts");
        var number = 0;
        foreach (var file in recording.Files("aes"))
        {
            var key = await File.ReadAllBytesAsync(file + ".key", TestContext.Current.CancellationToken);
            key.Length.ShouldBe(AesKeyBytes);
            await ChildProcess.RunAsync(
                "openssl", "openssl",
                ["enc", "-d", "-aes-128-cbc", "-K", Convert.ToHexString(key), "-iv", number++.ToString("X32", CultureInfo.InvariantCulture), "-in", file, "-out", file + ".clear"],
                TimeSpan.FromSeconds(10));
            await File.AppendAllBytesAsync(joined, await File.ReadAllBytesAsync(file + ".clear", TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        }

        (await FrameDigest.OfFileAsync(joined)).ShouldEqual(recording.Source);
    }

    [Theory]
    [InlineData("video")]
    [InlineData("audio")]
    public async Task Ffprobe_and_qtdemux_read_what_the_boxes_say(string kind)
    {
        var path = recording.Joined(kind);
        var file = new FragmentedFile(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        double timescale = file.Tracks.ShouldHaveSingleItem().Timescale;
        file.Samples.Count.ShouldBe(kind == "video" ? recording.Source.VideoFrames.Count : recording.Source.AudioFrames.Count);
        // Each tfdt goes on where the fragment before ended.
        foreach (var (sample, next) in file.Samples.Zip(file.Samples.Skip(1)))
            next.Dts.ShouldBe(sample.Dts + sample.Duration);

        // Without durations: ffprobe guesses those of pictures by their rate. The steps of dts are the durations in the boxes.
        (await Ffmpeg.PacketsAsync(path)).Where(line => line.Length > 0).ShouldBe(file.Samples.Select(sample => FormattableString.Invariant(
            $"pts={sample.Pts}|dts={sample.Dts}|size={sample.Data.Length}|flags={(sample.IsSync ? 'K' : '_')}_")));

        var demuxed = await Gstreamer.SamplesAsync(path, kind);
        demuxed.Select(sample => (sample.Length, sample.IsSync)).ShouldBe(file.Samples.Select(sample => (sample.Data.Length, sample.IsSync)));
        const double Nanoseconds = 1e-8;
        for (var i = 0; i < demuxed.Count; i++)
        {
            demuxed[i].Dts.ShouldBe(file.Samples[i].Dts / timescale, Nanoseconds, $"dts of sample {i}");
            demuxed[i].Pts.ShouldBe(file.Samples[i].Pts / timescale, Nanoseconds, $"pts of sample {i}");
            demuxed[i].Duration.ShouldBe(file.Samples[i].Duration / timescale, Nanoseconds, $"duration of sample {i}");
        }
    }
}
