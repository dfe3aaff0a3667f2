using Millrace.Conformance.Playlists;

namespace Millrace.Conformance.Tests;

/// <summary>The strict parser on playlists written by hand.</summary>
public sealed class PlaylistTests
{
    private static readonly Uri Base = new("http://h/a/b/v.m3u8?x=1");

    private const string Good =
        """
        #EXTM3U
        #EXT-X-VERSION:6
        #EXT-X-TARGETDURATION:2
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,PART-HOLD-BACK=3.0
        #EXT-X-PART-INF:PART-TARGET=1.0
        #EXT-X-MEDIA-SEQUENCE:7
        #EXT-X-DISCONTINUITY-SEQUENCE:3
        #EXT-X-MAP:URI="i.mp4"
        #EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
        #EXTINF:2.0,
        s7.mp4
        #EXT-X-DISCONTINUITY
        #EXT-X-MAP:URI="j.mp4",BYTERANGE="100@0"
        #EXT-X-PART:DURATION=1.0,URI="p8.0.mp4",INDEPENDENT=YES
        #EXT-X-PART:DURATION=1.0,URI="p8.1.mp4"
        #EXTINF:2.0,a title, with a comma
        s8.mp4
        #EXT-X-PART:DURATION=1.0,URI="p9.0.mp4"
        #EXT-X-PRELOAD-HINT:TYPE=PART,URI="p9.1.mp4"
        #EXT-X-RENDITION-REPORT:URI="../c/a.m3u8",LAST-MSN=9,LAST-PART=0

        """;

    [Fact]
    public void A_playlist_is_read_in_full()
    {
        var list = MediaPlaylistParser.Parse(Good, Base);
        list.Problems.ShouldBeEmpty();
        list.UnknownTags.ShouldBeEmpty();
        list.Segments.Select(segment => (segment.Msn, segment.Uri!.AbsoluteUri, segment.DiscontinuitySequence, segment.Map!.Uri.Segments[^1], segment.Parts.Count))
            .ShouldBe([(7, "http://h/a/b/s7.mp4", 3L, "i.mp4", 0), (8, "http://h/a/b/s8.mp4", 4L, "j.mp4", 2)]);
        list.Segments[0].ProgramDateTime.ShouldBe(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        list.Open!.Parts.Single().ToString().ShouldStartWith("9.0 (line 18: #EXT-X-PART");
        list.Next.ShouldBe(new Position(9, 1));
        list.Duration.ShouldBe(4);
        list.SkipBoundary.ShouldBe(12);
        list.Needed.Version.ShouldBe(6);
        list.Hints.Single().Uri.AbsoluteUri.ShouldBe("http://h/a/b/p9.1.mp4");
        list.Reports.Single().ShouldSatisfyAllConditions(r => r.Uri.AbsoluteUri.ShouldBe("http://h/a/c/a.m3u8"), r => r.LastPart.ShouldBe(0));
    }

    [Theory]
    [InlineData("#EXTM3U\n", "", "the first line is not #EXTM3U")]
    [InlineData("DURATION:2", "DURATION:2.5", "not a decimal integer")]
    [InlineData("YES,CAN", "YES,,CAN", "no attribute name")]
    [InlineData("=YES,CAN", "=MAYBE,CAN", "neither YES nor NO")]
    [InlineData("DURATION=1.0,URI=\"p9", "DURATION=\"1.0\",URI=\"p9", "must not be quoted")]
    [InlineData("URI=\"p9.0.mp4\"", "URI=p9.0.mp4", "not a quoted string")]
    [InlineData("\"p9.0.mp4\"", "\"p9.0.mp4", "the quote does not end")]
    [InlineData("LAST-MSN=9", "LAST-MSN=9,LAST-MSN=9", "appears twice")]
    [InlineData("#EXTINF:2.0,\n", "", "a URI line without EXTINF")]
    [InlineData("#EXTINF:2.0,\n", "#EXTINF:2.0\n", "EXTINF has no comma")]
    [InlineData("s8.mp4\n", "", "EXTINF without a URI line")]
    [InlineData(".000Z", "", "not a date with a time zone")]
    [InlineData("TYPE=PART", "TYPE=SEGMENT", "neither PART nor MAP")]
    [InlineData("#EXT-X-VERSION:6\n", "#EXT-X-VERSION:6\n#EXT-X-VERSION:6\n", "the tag appears twice")]
    [InlineData("LAST-PART=0\n", "LAST-PART=0", "the last line does not end")]
    public void What_is_malformed_is_told(string good, string bad, string problem)
    {
        Good.ShouldContain(good);
        MediaPlaylistParser.Parse(Good.Replace(good, bad, StringComparison.Ordinal), Base).Problems.ShouldContain(p => p.ToString().Contains(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Unknown_tags_and_attributes_are_told_but_allowed()
    {
        var list = MediaPlaylistParser.Parse(Good.Replace("#EXT-X-DISCONTINUITY\n", "#EXT-X-NEW:1\n#EXT-X-DISCONTINUITY\n# a comment\n", StringComparison.Ordinal).Replace("TYPE=PART", "NEW=1,TYPE=PART", StringComparison.Ordinal), Base);
        list.Problems.ShouldBeEmpty();
        list.UnknownTags.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(8, 1, true)]
    [InlineData(8, 2, true)]
    [InlineData(9, 0, true)]
    [InlineData(9, 1, false)]
    [InlineData(10, 0, false)]
    public void A_part_beyond_the_last_of_its_segment_is_the_first_of_the_next(long msn, long part, bool has) =>
        MediaPlaylistParser.Parse(Good, Base).Has(new(msn, part)).ShouldBe(has);

    [Fact]
    public void Without_a_part_of_the_next_segment_it_is_not_there_yet()
    {
        var list = MediaPlaylistParser.Parse(Good.Replace("#EXT-X-PART:DURATION=1.0,URI=\"p9.0.mp4\"\n", "", StringComparison.Ordinal), Base);
        list.Has(new(8, 1)).ShouldBe(true);
        list.Has(new(8, 2)).ShouldBe(false);
        list.Next.ShouldBe(new Position(9, 0));
    }

    [Fact]
    public void Skipped_segments_count_in_the_numbers()
    {
        var list = MediaPlaylistParser.Parse(Good.Replace("#EXT-X-MAP:URI=\"i.mp4\"\n", "#EXT-X-SKIP:SKIPPED-SEGMENTS=5\n", StringComparison.Ordinal), Base);
        list.Segments[0].Msn.ShouldBe(12);
        list.Segment(13)!.Uri!.Segments[^1].ShouldBe("s8.mp4");
        list.Needed.ShouldBe((9, "EXT-X-SKIP"));
    }

    [Fact]
    public void A_multivariant_playlist_gives_each_media_playlist_once()
    {
        const string Text = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x\",URI=\"a.m3u8\"\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO=\"a\"\nv.m3u8\n";
        var list = MultivariantPlaylist.Parse(Text, Base);
        list.Problems.ShouldBeEmpty();
        list.Playlists.Select(playlist => (playlist.Kind, playlist.Uri.AbsoluteUri)).ShouldBe([("AUDIO", "http://h/a/b/a.m3u8"), ("variant", "http://h/a/b/v.m3u8")]);
        MultivariantPlaylist.Parse(Text.Replace("BANDWIDTH=1,", "", StringComparison.Ordinal), Base).Problems.Single().What.ShouldBe("BANDWIDTH is required");
    }
}
