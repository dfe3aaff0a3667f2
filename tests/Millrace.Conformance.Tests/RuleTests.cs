using Millrace.Conformance.Mp4;
using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;
using Millrace.Conformance.Rules;
using Millrace.Conformance.Tests.Origin;

namespace Millrace.Conformance.Tests;

/// <summary>Rules on histories written by hand, for what the scripted origin does not do.</summary>
public sealed class RuleTests
{
    private static readonly Uri Address = new("http://h/v.m3u8");

    private const string Head =
        """
        #EXTM3U
        #EXT-X-VERSION:6
        #EXT-X-TARGETDURATION:2
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0
        #EXT-X-PART-INF:PART-TARGET=1.0

        """;

    [Theory]
    [InlineData("CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0", Verdict.Pass)]
    [InlineData("PART-HOLD-BACK=3.0", Verdict.Fail)]
    [InlineData("CAN-BLOCK-RELOAD=YES", Verdict.Fail)]
    [InlineData("CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=2.9", Verdict.Fail)]
    public void L3_wants_both_attributes(string control, Verdict verdict) =>
        Judge("L3", History(Head.Replace("CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0", control, StringComparison.Ordinal))).ShouldBe(verdict);

    [Theory]
    [InlineData("CAN-BLOCK-RELOAD=YES", Verdict.NotSeen)]
    [InlineData("CAN-SKIP-UNTIL=12", Verdict.Pass)]
    [InlineData("CAN-SKIP-UNTIL=12,CAN-SKIP-DATERANGES=YES", Verdict.Pass)]
    [InlineData("CAN-SKIP-DATERANGES=YES", Verdict.Fail)]
    public void L5_wants_CAN_SKIP_UNTIL_with_date_ranges(string control, Verdict verdict) =>
        Judge("L5", History(Head.Replace("CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0", control, StringComparison.Ordinal))).ShouldBe(verdict);

    [Theory]
    [InlineData("2.499", Verdict.Pass)]
    [InlineData("2.500", Verdict.Fail)]
    public void L7_rounds_to_the_nearest_second(string duration, Verdict verdict) =>
        Judge("L7", History($"{Head}#EXTINF:{duration},\ns0.mp4\n")).ShouldBe(verdict);

    [Theory]
    [InlineData("0.85", "1.0", Verdict.Pass)]
    [InlineData("0.84", "1.0", Verdict.Fail)]
    [InlineData("0.84", "1.0,GAP=YES", Verdict.Pass)]
    [InlineData("0.84,INDEPENDENT=YES", "1.0", Verdict.Pass)]
    [InlineData("1.0", "0.2", Verdict.Pass)]
    [InlineData("1.001", "1.0", Verdict.Fail)]
    public void L2_excuses_short_parts_at_an_end_only(string first, string second, Verdict verdict) =>
        Judge("L2", History($"{Head}#EXT-X-PART:URI=\"a\",DURATION={first}\n#EXT-X-PART:URI=\"b\",DURATION={second}\n#EXTINF:2.0,\ns0.mp4\n")).ShouldBe(verdict);

    [Theory]
    [InlineData("", Verdict.Fail)]
    [InlineData("#EXT-X-DISCONTINUITY\n", Verdict.Pass)]
    public void L13_wants_a_discontinuity_where_the_encoding_changes(string tag, Verdict verdict)
    {
        var history = History($"{Head}#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:2.0,\ns0.mp4\n{tag}#EXT-X-MAP:URI=\"j.mp4\"\n#EXTINF:2.0,\ns1.mp4\n");
        var list = history.Renditions[0].First!;
        InitFetch Init(int segment, int width) => new(list.Segments[segment].Map!, At(0, 0), InitSection.Parse(Mp4Writer.Init(true, width)), null);
        var inits = history.Renditions[0] with { Inits = [Init(0, 640), Init(1, 1280)] };
        // Without parts, only a break of the encoding is counted: with the tag there is nothing left to check.
        var result = Judge("L13", history with { Renditions = [inits] });
        result.ShouldBe(verdict);
    }

    [Theory]
    [InlineData("j.mp4", Verdict.Pass)]
    [InlineData("k.mp4", Verdict.Fail)]
    public void L24_wants_the_hinted_initialization_section_to_come(string hinted, Verdict verdict)
    {
        var first = $"{Head}#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:2.0,\ns0.mp4\n#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"{hinted}\"\n";
        var second = $"{Head}#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:2.0,\ns0.mp4\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"j.mp4\"\n#EXTINF:2.0,\ns1.mp4\n";
        Judge("L24", History(first, second)).ShouldBe(verdict);
    }

    [Theory]
    [InlineData(200, 5.9, Verdict.NotSeen)]
    [InlineData(200, 8.0, Verdict.Fail)]
    [InlineData(503, 6.1, Verdict.Pass)]
    [InlineData(503, 3.0, Verdict.Fail)]
    [InlineData(503, 9.0, Verdict.Fail)]
    [InlineData(0, 11.0, Verdict.Fail)]
    public void L20_wants_503_after_three_target_durations_and_then_only(int status, double seconds, Verdict verdict)
    {
        var history = History($"{Head}#EXTINF:2.0,\ns0.mp4\n");
        var held = new Reload(At(1, 1 + seconds) with { Status = status }, new(1, 0), null);
        var rendition = history.Renditions[0];
        Judge("L20", history with { Renditions = [rendition with { Reloads = [.. rendition.Reloads, held] }] }).ShouldBe(verdict);
    }

    [Theory]
    [InlineData(6, "", Verdict.Pass)]
    [InlineData(5, "", Verdict.Fail)]
    [InlineData(8, "", Verdict.Fail)]
    [InlineData(8, "#EXT-X-GAP\n", Verdict.Pass)]
    [InlineData(9, "#EXT-X-GAP\n", Verdict.Fail)]
    public void L30_wants_the_version_that_the_tags_need(int version, string tag, Verdict verdict)
    {
        var text = $"{Head}#EXT-X-MAP:URI=\"i.mp4\"\n{tag}#EXTINF:2.0,\ns0.mp4\n".Replace("VERSION:6", $"VERSION:{version}", StringComparison.Ordinal);
        Judge("L30", History(text)).ShouldBe(verdict);
    }

    [Theory]
    [InlineData(0.5, Verdict.Pass)]
    [InlineData(1.5, Verdict.Fail)]
    public void L31_wants_parts_longer_than_round_trips(double trip, Verdict verdict)
    {
        var history = History($"{Head}#EXTINF:2.0,\ns0.mp4\n");
        Judge("L31", history with { Probes = [.. Enumerable.Range(0, 20).Select(_ => new Probe(ProbeKind.Plain, At(0, trip)))] }).ShouldBe(verdict);
    }

    [Theory]
    [InlineData(60, "", Verdict.NotSeen)]
    [InlineData(61, "", Verdict.Fail)]
    [InlineData(61, "CAN-SKIP-UNTIL=12,", Verdict.Pass)]
    public void L31_wants_deltas_for_more_than_two_minutes(int segments, string skip, Verdict verdict)
    {
        var text = Head.Replace("CAN-BLOCK", skip + "CAN-BLOCK", StringComparison.Ordinal) + string.Concat(Enumerable.Range(0, segments).Select(i => $"#EXTINF:2.0,\ns{i}.mp4\n"));
        Judge("L31", History(text)).ShouldBe(verdict);
    }

    [Theory]
    [InlineData("#EXT-X-MEDIA-SEQUENCE:5\n#EXTINF:2.0,\ns5.mp4\n", "#EXT-X-MEDIA-SEQUENCE:4\n#EXTINF:2.0,\ns4.mp4\n#EXTINF:2.0,\ns5.mp4\n", "MEDIA-SEQUENCE goes back")]
    [InlineData("#EXTINF:2.0,\ns0.mp4\n#EXTINF:2.0,\ns1.mp4\n", "#EXTINF:2.0,\ns0.mp4\n", "the playlist goes back")]
    [InlineData("#EXTINF:2.0,\ns0.mp4\n", "#EXTINF:1.9,\ns0.mp4\n", "EXTINF 1.9")]
    [InlineData("#EXTINF:2.0,\ns0.mp4\n", "#EXT-X-GAP\n#EXTINF:2.0,\ns0.mp4\n", "GAP")]
    [InlineData("#EXT-X-PART:URI=\"a\",DURATION=1.0\n", "#EXT-X-PART:URI=\"b\",DURATION=1.0\n", "is now")]
    [InlineData("#EXTINF:2.0,\ns0.mp4\n#EXT-X-ENDLIST\n", "#EXTINF:2.0,\ns0.mp4\n#EXTINF:2.0,\ns1.mp4\n", "EXT-X-ENDLIST is gone")]
    [InlineData("#EXT-X-DISCONTINUITY\n#EXTINF:2.0,\ns0.mp4\n#EXTINF:2.0,\ns1.mp4\n", "#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:2.0,\ns1.mp4\n", "discontinuity sequence number of segment 1")]
    [InlineData("#EXTINF:2.0,\ns0.mp4\n#EXTINF:2.0,\ns1.mp4\n", "#EXT-X-MEDIA-SEQUENCE:2\n#EXTINF:2.0,\ns1.mp4\n#EXTINF:2.0,\ns2.mp4\n", null)]
    [InlineData("#EXTINF:2.0,\ns0.mp4\n#EXTINF:2.0,\ns1.mp4\n", "#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:2.0,\ns1.mp4\n#EXTINF:2.0,\ns2.mp4\n", null)]
    [InlineData("#EXT-X-PART:URI=\"a\",DURATION=1.0\n", "#EXT-X-PART:URI=\"a\",DURATION=1.0\n#EXTINF:1.0,\ns0.mp4\n", null)]
    public void L9_compares_successive_versions(string before, string now, string? difference)
    {
        var found = UpdateRules.Difference(Parse(Head + before), Parse(Head + now));
        if (difference is null)
            found.ShouldBeNull();
        else
            found.ShouldNotBeNull().ShouldContain(difference);
    }

    [Fact]
    public void L14_lets_no_discontinuity_be_without_its_date()
    {
        const string Dated = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n#EXTINF:2.0,\ns0.mp4\n#EXT-X-DISCONTINUITY\n";
        Judge("L14", History($"{Head}{Dated}#EXTINF:2.0,\ns1.mp4\n")).ShouldBe(Verdict.Fail);
        Judge("L14", History($"{Head}{Dated}#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:00.000Z\n#EXTINF:2.0,\ns1.mp4\n")).ShouldBe(Verdict.Pass);
    }

    private static Verdict Judge(string id, History history) => RuleSet.All.Single(rule => rule.Id == id).Apply(history).Verdict;

    private static MediaPlaylist Parse(string text) => MediaPlaylistParser.Parse(text, Address);

    private static History History(params string[] versions) => new()
    {
        Address = Address,
        Renditions = [new() { Uri = Address, Reloads = [.. versions.Select((text, i) => new Reload(At(i, i), null, Parse(text)))] }],
    };

    private static Exchange At(double sent, double done) => new()
    {
        Method = "GET",
        Uri = Address,
        FinalUri = Address,
        Sent = TimeSpan.FromSeconds(sent),
        HeadersAt = TimeSpan.FromSeconds(done),
        FirstByteAt = TimeSpan.FromSeconds(done),
        Done = TimeSpan.FromSeconds(done),
        Status = 200,
    };
}
