using System.Diagnostics;
using System.Net;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Hls;

/// <summary>The requirements on a low-latency origin by their numbers: what waits, for what, how long, and what is refused instead. By both writers.</summary>
public sealed class HlsBlockingRules
{
    private static readonly string[] Wrong =
    [
        "_HLS_part=0",
        "_HLS_msn=",
        "_HLS_msn",
        "_HLS_msn=-1",
        "_HLS_msn=1.5",
        "_HLS_msn=+1",
        "_HLS_msn=0x10",
        "_HLS_msn=99999999999999999999",
        "_HLS_msn=1&_HLS_msn=1",
        "_HLS_msn=1&_HLS_part=99999999999999999999",
        "_HLS_msn=1&_HLS_part=0&_HLS_part=0",
        "_HLS_skip=MAYBE",
        "%5FHLS_msn=a",
        "_HLS_msn=999999",
        "_HLS_msn=9223372036854775807",
        "_HLS_msn=9223372036854775807&_HLS_part=9223372036854775807",
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task L15_msn_alone_waits_for_the_whole_segment(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(isKestrel: isKestrel);
        var (_, segment, parts) = await hls.Newest();
        var blocked = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment}"));
        var part = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts}"));
        hls.Send(10);
        // All who wait are looked at when there is a new part: released with it, `blocked` would be without the segment, too.
        (await part).ShouldNotContain($"\nseg_0_{segment}_video_");
        hls.Send(60);
        (await blocked).ShouldContain($"\nseg_0_{segment}_video_");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task L16_msn_and_part_wait_for_the_part_or_the_first_of_the_next_segment(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(isKestrel: isKestrel);
        var (text, segment, parts) = await hls.Newest();
        text.ShouldNotContain($"part_0_{segment}_{parts}_video_{hls.Key}_llhls.m4s\",INDEPENDENT");
        var part = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts}"));
        var behind = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts + 12}"));
        hls.Send(10);
        var released = await part;
        released.ShouldContain($"EXT-X-PART:DURATION=0.200000,URI=\"part_0_{segment}_{parts}_video_");
        released.ShouldNotContain($"EXT-X-PART:DURATION=0.200000,URI=\"part_0_{segment + 1}_0_video_");
        hls.Send(60);
        (await behind).ShouldContain($"EXT-X-PART:DURATION=0.200000,URI=\"part_0_{segment + 1}_0_video_");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task L17_older_ones_are_answered_at_once(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(isKestrel: isKestrel);
        var newest = (await hls.Newest()).Text;
        foreach (var query in (string[])["_HLS_msn=0", "_HLS_msn=0&_HLS_part=0", "_HLS_msn=0&_HLS_part=99999999", "_HLS_msn=1&_HLS_part=2"])
            (await hls.Text($"{hls.Video}?{query}")).ShouldBe(newest, query);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task L18_L19_directives_that_are_wrong_or_too_far_ahead_are_refused(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(isKestrel: isKestrel);
        foreach (var query in Wrong)
        {
            using var answer = await hls.Get($"{hls.Video}?{query}");
            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest, query);
            answer.Headers.CacheControl!.MaxAge!.Value.TotalSeconds.ShouldBeLessThanOrEqualTo(2);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task L19_the_limits_are_two_segments_and_three_seconds_of_parts(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(isKestrel: isKestrel);
        var (_, segment, parts) = await hls.Newest();
        // PART-TARGET is a little more than 200 ms.
        foreach (var tooFar in (string[])[$"_HLS_msn={segment + 2}", $"_HLS_msn={segment}&_HLS_part={parts + 20}"])
            (await hls.Get($"{hls.Video}?{tooFar}")).StatusCode.ShouldBe(HttpStatusCode.BadRequest, tooFar);
        var whole = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment + 1}"));
        var behind = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment}&_HLS_part={parts + 10}"));
        hls.Send(110);
        (await whole).ShouldContain($"\nseg_0_{segment + 1}_video_");
        // No segment has so many parts.
        (await behind).ShouldContain($"part_0_{segment + 1}_0_video_");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task L19_thousands_of_requests_for_the_far_future_are_refused_and_disturb_nobody(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(isKestrel: isKestrel);
        using var client = isKestrel ? hls.Node.OpenKestrel() : hls.Node.OpenHttp();
        for (var round = 0; round < 20; round++)
        {
            client.Send(string.Concat(Enumerable.Repeat(RawHttp.Get($"{hls.Video}?_HLS_msn=999999"), 100)));
            for (var i = 0; i < 100; i++)
            {
                var answer = client.ReadHead();
                answer.Status.ShouldBe(400);
                client.ReadBody(answer);
            }
        }

        (await hls.Newest()).Segment.ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task L20_a_request_is_not_held_longer_than_three_target_durations(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(settings => settings with { Hls = HlsNode.Short with { Segment = TimeSpan.FromSeconds(1) } }, isKestrel: isKestrel);
        var (text, segment, _) = await hls.Newest();
        text.ShouldContain("#EXT-X-TARGETDURATION:1\n");
        var asked = Stopwatch.GetTimestamp();
        using var answer = await hls.Get($"{hls.Video}?_HLS_msn={segment}");
        // Held for as long as it may be, and not until something else gives up.
        Stopwatch.GetElapsedTime(asked).ShouldBeInRange(TimeSpan.FromSeconds(3), Wait.Deadline);
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        // So that of a thousand who wait behind a cache one asks again, and not each after the other.
        answer.Headers.CacheControl!.MaxAge.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task L21_an_ended_playlist_is_answered_at_once_whatever_is_asked_and_those_who_wait_are_answered(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(settings => settings with { Publish = new PublishSettings { Grace = TimeSpan.FromMilliseconds(200) } }, isKestrel: isKestrel);
        var (_, segment, parts) = await hls.Newest();
        var waiting = await hls.Resolved(() => hls.Text($"{hls.Video}?_HLS_msn={segment + 1}"));
        string Part(int part) => $"/live/x/part_0_{segment}_{part}_video_{hls.Key}_llhls.m4s";
        var hinted = await hls.Resolved(() => hls.Bytes(Part(parts)));
        hls.Publisher.Unpublish();
        (await waiting).ShouldEndWith("#EXT-X-ENDLIST\n");
        // The pictures whose part was not full are that part now, and there will be no other.
        (await hinted).AsSpan(4, 4).SequenceEqual("moof"u8).ShouldBeTrue();
        (await hls.Get(Part(parts + 1))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        foreach (var query in (string[])["", "?_HLS_msn=999999", $"?_HLS_msn={segment}&_HLS_part={parts}", "?_HLS_skip=YES"])
            (await hls.Text(hls.Video + query)).ShouldEndWith("#EXT-X-ENDLIST\n");
        foreach (var uri in HlsNode.Uris(await hls.Text(hls.Video)))
            (await hls.Bytes($"/live/x/{uri}")).ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task L25_the_hinted_part_is_held_and_comes_whole_and_others_are_not_found(bool isKestrel)
    {
        await using var hls = await HlsNode.StartAsync(isKestrel: isKestrel);
        var (_, segment, parts) = await hls.Newest();
        string Part(long msn, int part) => $"/live/x/part_0_{msn}_{part}_video_{hls.Key}_llhls.m4s";
        var hinted = await hls.Resolved(() => hls.Bytes(Part(segment, parts)));
        foreach (var other in (string[])[Part(segment, parts + 1), Part(segment + 1, 0), Part(segment + 1, 1), Part(segment - 1, 500), $"/live/x/seg_0_{segment}_video_{hls.Key}_llhls.m4s", $"/live/x/seg_0_{segment + 1}_video_{hls.Key}_llhls.m4s"])
            (await hls.Get(other)).StatusCode.ShouldBe(HttpStatusCode.NotFound, other);
        hls.Send(8);
        var bytes = await hinted;
        bytes.AsSpan(4, 4).SequenceEqual("moof"u8).ShouldBeTrue();
        bytes.ShouldBe(await hls.Bytes(Part(segment, parts)));

        hls.Send(60);
        await hls.Text($"{hls.Video}?_HLS_msn={segment}");
        var whole = await hls.Bytes($"/live/x/seg_0_{segment}_video_{hls.Key}_llhls.m4s");
        whole.AsSpan().IndexOf(bytes).ShouldBeGreaterThanOrEqualTo(0);
    }
}
