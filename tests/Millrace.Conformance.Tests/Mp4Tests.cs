using Millrace.Conformance.Crawl;
using Millrace.Conformance.Crawl.Probes;
using Millrace.Conformance.Mp4;
using Millrace.Conformance.Playlists;
using Millrace.Conformance.Tests.Origin;

namespace Millrace.Conformance.Tests;

/// <summary>The box reader, and what is made of bytes and names.</summary>
public sealed class Mp4Tests
{
    private static readonly InitSection Video = InitSection.Parse(Mp4Writer.Init(video: true));

    [Fact]
    public void An_initialization_section_tells_the_track()
    {
        Video.Tracks.Single().ShouldBe(new InitTrack(1, 90_000, "vide", "avc1", 640, 360, 4));
        InitSection.Parse(Mp4Writer.Init(video: false)).Encoding.ShouldBe("soun/mp4a/0x0/48000");
    }

    [Fact]
    public void Fragments_tell_times_and_sync_samples()
    {
        byte[] two = [.. Mp4Writer.Fragment(true, 90_000, 15, 3000, key: true, flaggedKey: true), .. Mp4Writer.Fragment(true, 135_000, 15, 3000, key: false, flaggedKey: false)];
        var track = MediaSummary.Parse(two, Video).Main!;
        (track.Start, track.End, track.InnerJump, track.Samples, track.StartsWithSync, track.FalseSyncs).ShouldBe((1.0, 2.0, 0.0, 30, true, 0));
        track.Syncs.ShouldBe([1.0]);
    }

    [Fact]
    public void A_jump_between_two_fragments_is_measured()
    {
        byte[] two = [.. Mp4Writer.Fragment(true, 0, 15, 3000, key: true, flaggedKey: true), .. Mp4Writer.Fragment(true, 90_000, 15, 3000, key: false, flaggedKey: false)];
        var track = MediaSummary.Parse(two, Video).Main!;
        track.InnerJump.ShouldBe(0.5);
        // The jump is in no sample.
        (track.Duration, track.End - track.Start).ShouldBe((1.0, 1.5));
    }

    [Theory]
    [InlineData("0.50000", 0.00001)]
    [InlineData("1.002", 0.001)]
    [InlineData("2", 1.0)]
    [InlineData("2.", 1.0)]
    public void A_number_is_as_exact_as_its_last_digit(string number, double place) => DecimalText.Place(number).ShouldBe(place, 1e-12);

    [Fact]
    public void Every_truncation_is_refused()
    {
        var whole = Mp4Writer.Fragment(true, 0, 2, 3000, key: true, flaggedKey: true);
        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole[..length];
            if (length != 0 && length != whole.Length - Mdat)
                Should.Throw<Mp4Exception>(() => MediaSummary.Parse(cut, Video), $"{length} bytes");
        }
    }

    [Fact]
    public void A_segment_must_be_its_parts()
    {
        byte[] whole = [1, 2, 3, 4, 5];
        Assembly.Difference(whole, [new byte[] { 1, 2 }, new byte[] { 3, 4, 5 }]).ShouldBeNull();
        Assembly.Difference(whole, [new byte[] { 1, 2 }, new byte[] { 4, 3, 5 }]).ShouldBe("part 1 of 2 is not at byte 2 of the segment");
        Assembly.Difference(whole, [new byte[] { 1, 2 }]).ShouldBe("3 bytes of the segment's 5 are in no part");
    }

    [Theory]
    [InlineData("http://h/seg_0_7_video.m4s", "http://h/seg_0_8_video.m4s", "http://h/seg_0_18_video.m4s")]
    [InlineData("http://h/a9.m4s", "http://h/a10.m4s", "http://h/a20.m4s")]
    [InlineData("http://h/abc.m4s", "http://h/abd.m4s", null)]
    [InlineData("http://h/1/2", "http://h/2/3", null)]
    public void A_name_beyond_is_guessed_when_one_number_counts(string first, string second, string? beyond) =>
        NameProbes.Beyond(new(first), new(second), 10)?.AbsoluteUri.ShouldBe(beyond);

    /// <summary>Bytes of the mdat box of two samples; what comes before it is a whole moof.</summary>
    private const int Mdat = 8 + (2 * 40);
}
