using Millrace.Media;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Tests.Hls;

/// <summary>L2 at all frame rates: no part is longer than PART-TARGET, none shorter than 85 % of it.</summary>
public sealed class PartTests
{
    public static TheoryData<double, string, int> Rates
    {
        get
        {
            var data = new TheoryData<double, string, int>();
            foreach (var rate in new[] { 60, 30, 29.97, 25, 23.976, 15, 5, 1 })
            {
                foreach (var sound in new[] { "none", "aac44", "aac48", "mp3", "flac" })
                    data.Add(rate, sound, 500);
            }

            foreach (var part in new[] { 100, 200, 333, 1_000, 2_000 })
            {
                data.Add(30, "aac48", part);
                data.Add(25, "aac44", part);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void Parts_of_pictures_and_sound_fill_the_target(double rate, string sound, int partMillis)
    {
        var rig = new HlsRig(new HlsOptions { Cuts = new CutRule { PartMicros = partMillis * 1_000 } });
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { FrameRate = rate, Group = (int)Math.Ceiling(rate * 2), Sound = Sound(sound) }).Run(1);
        var checker = rig.Watch();
        rig.Source.Run(14);

        checker.Of(HlsRig.Video).ShouldHaveFullParts();
        if (sound != "none")
            checker.Of(HlsRig.Audio).ShouldHaveFullParts(frame: 1_000_000L * Sound(sound)!.SamplesPerFrame / Sound(sound)!.SampleRate);
        var target = checker.Read(HlsRig.Video).PartTarget;
        target.ShouldBeGreaterThanOrEqualTo((partMillis * 1_000) - 34_000);
        target.ShouldBeLessThanOrEqualTo(2_100_000);
        checker.Of(HlsRig.Video).Hints.ShouldBeGreaterThan(3);
    }

    [Theory]
    [InlineData("aac44")]
    [InlineData("aac48")]
    [InlineData("mp3")]
    [InlineData("flac")]
    public void Sound_alone_is_cut_by_time(string sound)
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { Picture = null, Sound = Sound(sound) }).Run(1);
        var checker = rig.Watch();
        rig.Source.Run(60);
        checker.Of(HlsRig.Audio).ShouldHaveFullParts();
        checker.Of(HlsRig.Audio).Segments.Skip(1).ShouldAllBe(segment => segment.Micros > 5_800_000 && segment.Micros < 6_200_000);
    }

    [Theory]
    [InlineData(400_000)]
    [InlineData(700_000)]
    [InlineData(-700_000)]
    public void Sound_that_is_sent_late_or_ahead_lies_in_the_parts_of_its_time(long late)
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease) { SoundLate = late }).Run(2);
        var checker = rig.Watch();
        rig.Source.Run(40);
        checker.Of(HlsRig.Video).ShouldHaveFullParts();
        checker.Of(HlsRig.Audio).Parts.ShouldAllBe(part => !part.Part.IsGap);
        checker.Of(HlsRig.Audio).Segments.Skip(1).ShouldAllBe(segment => Math.Abs(segment.Micros - 6_000_000) < 50_000);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(1.0)]
    [InlineData(3.0)]
    [InlineData(12.0)]
    public void A_hole_in_all_tracks_becomes_gaps_and_breaks_nothing(double seconds)
    {
        var rig = new HlsRig();
        rig.Publish(lease => new MediaSource(rig.Stream, lease)).Run(2);
        var checker = rig.Watch();
        var (from, to) = (15_000_000, 15_000_000 + (long)(seconds * 1e6));
        rig.Source.IsPictureLost = rig.Source.IsSoundLost = time => time >= from && time < to;
        rig.Source.Run(60);

        checker.Of(HlsRig.Video).ShouldHaveFullParts();
        checker.Of(HlsRig.Video).Segments.Sum(segment => segment.Micros).ShouldBeGreaterThan(50_000_000);
        checker.Of(HlsRig.Video).Parts.Count(part => part.Part.IsGap).ShouldBeInRange(seconds > 2 ? (int)((seconds - 1.2) / 0.54) : 0, (int)(seconds / 0.5) + 1);
    }

    [Fact]
    public void Pictures_that_stall_do_not_hold_the_sound_up()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.IsPictureLost = time => time >= 15_000_000;
        rig.Source.Run(40);

        var sound = checker.Of(HlsRig.Audio).Parts.Where(part => !part.Part.IsGap).Sum(part => part.Part.Micros);
        sound.ShouldBeGreaterThan(36_000_000);
        checker.Of(HlsRig.Video).Parts.Count(part => part.Part.IsGap).ShouldBeGreaterThan(30);
        checker.Of(HlsRig.Audio).ShouldHaveFullParts();
    }

    [Fact]
    public void Sound_that_stalls_becomes_gaps_while_pictures_go_on()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var checker = rig.Watch();
        rig.Source.IsSoundLost = time => time >= 15_000_000 && time < 30_000_000;
        rig.Source.Run(50);

        checker.Of(HlsRig.Video).Parts.ShouldAllBe(part => !part.Part.IsGap);
        checker.Of(HlsRig.Audio).Parts.Count(part => part.Part.IsGap).ShouldBeInRange(20, 35);
        Math.Abs(checker.Of(HlsRig.Audio).Segments.Sum(segment => segment.Micros) - checker.Of(HlsRig.Video).Segments.Sum(segment => segment.Micros)).ShouldBeLessThan(50_000);
    }

    private static Config? Sound(string name) => name switch
    {
        "aac44" => TestStream.AacConfig,
        "aac48" => MediaSource.Aac48,
        "mp3" => MediaSource.Mp3,
        "flac" => MediaSource.Flac,
        _ => null,
    };
}
