using Millrace.Media;
using Millrace.Streams.Log;

namespace Millrace.Streams.Tests;

public sealed class TimeTests
{
    [Theory]
    [InlineData(24)]
    [InlineData(31)]
    [InlineData(32)]
    public void A_sender_clock_that_wraps_goes_on_in_one_era(int bits)
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish(audio: false);
        var unwrapper = new TimestampUnwrapper(bits);
        var mask = uint.MaxValue >> (32 - bits);
        var millis = mask - 1_000;
        for (var i = 0; i < 100; i++)
        {
            publisher.Sender = unwrapper.Unwrap(millis & mask) * 1_000;
            publisher.Run(1, audio: false);
            millis += 40;
        }

        stream.EraStarts.ShouldBe(1);
        ShouldStepBy(stream.Units(TrackKind.Video), 3_600);
    }

    [Fact]
    public void A_small_step_back_is_clamped_and_a_larger_one_starts_an_era()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish();
        publisher.Run(30);
        publisher.Sender -= 100_000;
        publisher.Run(30);
        stream.EraStarts.ShouldBe(1);
        ShouldGrow(stream);

        publisher.Sender -= 200_000;
        publisher.Run(30);
        stream.EraStarts.ShouldBe(2);
        stream.Era.Reason.ShouldBe(EraReason.TimeJump);
        ShouldGrow(stream);
        ShouldBeInSync(stream);
    }

    [Theory]
    [InlineData(10_000_000, 0, 2)]
    [InlineData(10_000_000, 10_000_000, 1)]
    [InlineData(900_000, 0, 1)]
    [InlineData(-3_600_000_000, 0, 2)]
    public void A_jump_that_wall_time_does_not_explain_starts_one_era_for_both_tracks(long jump, long wall, int eras)
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish();
        publisher.Sender = 7_200_000_000;
        publisher.Run(50);
        publisher.Sender += jump;
        stream.Now += wall;
        publisher.Run(50);
        stream.EraStarts.ShouldBe(eras);
        ShouldGrow(stream);
        ShouldBeInSync(stream);
    }

    [Fact]
    public void A_jump_continues_right_behind_the_last_frame()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish(audio: false);
        publisher.Run(30, audio: false);
        publisher.Sender += 60_000_000;
        publisher.Run(30, audio: false);
        ShouldStepBy(stream.Units(TrackKind.Video), 3_600);
    }

    [Fact]
    public void A_stall_that_ends_in_a_burst_is_neither_jump_nor_drift()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish();
        publisher.Run(500);
        foreach (var stall in new[] { 3, 7, 12 })
        {
            stream.Now += stall * 1_000_000;
            publisher.Run(stall * 25, speed: 1e6);
            publisher.Run(400);
        }

        stream.EraStarts.ShouldBe(1);
    }

    [Fact]
    public void Frames_that_were_dropped_in_a_stall_leave_a_gap_and_no_era()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish();
        publisher.Run(100);
        stream.Now += 4_000_000;
        publisher.Run(10, speed: 1e6);
        publisher.Sender += 3_600_000;
        publisher.Run(50);
        stream.EraStarts.ShouldBe(1);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(2)]
    [InlineData(0.9)]
    public void A_sender_clock_that_leaves_wall_time_by_2_s_starts_an_era(double speed)
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish();
        publisher.Run(1_500, speed: speed);
        stream.Era.Reason.ShouldBe(EraReason.Drift);
        ShouldGrow(stream);
        ShouldBeInSync(stream);
    }

    [Fact]
    public void A_true_clock_never_drifts()
    {
        var stream = new TestStream();
        var publisher = stream.Publish();
        publisher.Run(25 * 3_600, speed: 1.0001);
        stream.Era.Number.ShouldBe(0);
    }

    [Fact]
    public void Audio_is_counted_by_samples_and_rebased_beyond_20_ms()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish(video: false);
        for (var i = 0; i < 200; i++)
        {
            publisher.Sender = i * 1024L * 1_000_000 / 44_100 / 1_000 * 1_000 + (i >= 100 ? 60_000 : 0);
            publisher.Audio();
            stream.Now += 23_220;
        }

        var units = stream.Units(TrackKind.Audio);
        ShouldStepBy(units[..100], 1_024);
        ShouldStepBy(units[101..], 1_024);
        (units[100].Dts - units[99].Dts).ShouldBeInRange(1_024 + (44_100 * 59 / 1_000), 1_024 + (44_100 * 61 / 1_000));
    }

    [Theory]
    [InlineData(20, 1)]
    [InlineData(10, 2)]
    public void The_tolerance_of_audio_is_the_one_that_is_set(int toleranceMillis, int starts)
    {
        var stream = new TestStream(TestStream.KeepAll with { AudioToleranceMicros = toleranceMillis * 1_000 });
        var publisher = stream.Publish(video: false);
        for (var i = 0; i < 200; i++)
        {
            publisher.Sender = i * 1024L * 1_000_000 / 44_100 / 1_000 * 1_000 + (i >= 100 ? 15_000 : 0);
            publisher.Audio();
            stream.Now += 23_220;
        }

        var units = stream.Units(TrackKind.Audio);
        var steps = units.Zip(units.Skip(1), (unit, next) => next.Dts - unit.Dts);
        steps.Count(step => step != 1_024).ShouldBe(starts - 1);
    }

    [Fact]
    public void A_negative_composition_offset_is_lifted_by_one_constant_and_sync_stays()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish();
        long[] offsets = [0, 40_000, -80_000, 0];
        for (var i = 0; i < 120; i++)
        {
            publisher.Video(i % 24 == 0, offsets[i % 4]);
            publisher.Audio();
            publisher.Sender += TestStream.Frame;
            stream.Now += TestStream.Frame;
        }

        var last = stream.EraStarts - 1;
        var units = stream.Units(TrackKind.Video).FindAll(unit => unit.EraNumber == last);
        units.ShouldAllBe(unit => unit.Pts >= unit.Dts);
        units.Select(unit => (unit.Pts - unit.Dts) / 90).Distinct().Order().ShouldBe([0, 80, 120]);
        last.ShouldBeLessThanOrEqualTo(1);
        // The picture with offset 0 is presented with the audio of the same sender time.
        var audio = stream.Units(TrackKind.Audio).FindAll(unit => unit.EraNumber == last);
        var picture = units[^1];
        Math.Abs(picture.Pts / 90 - audio[^1].DtsMicros / 1_000).ShouldBeLessThanOrEqualTo(20);
    }

    [Fact]
    public void The_wall_clock_slews_by_at_most_500_ppm_inside_an_era()
    {
        var stream = new TestStream();
        var publisher = stream.Publish();
        publisher.Run(50);
        var (epoch, now, moved) = (stream.Era.EpochMicros, stream.Now, 0L);
        publisher.Run(5_000, speed: 0.9999, onFrame: () =>
        {
            Math.Abs(stream.Era.EpochMicros - epoch).ShouldBeLessThanOrEqualTo((long)((stream.Now - now) * 500e-6) + 2);
            moved += Math.Abs(stream.Era.EpochMicros - epoch);
            (epoch, now) = (stream.Era.EpochMicros, stream.Now);
        });
        moved.ShouldBeGreaterThan(0);
        stream.Era.Number.ShouldBe(0);
    }

    [Fact]
    public void Data_with_a_time_of_their_own_do_not_move_the_stream()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish();
        publisher.Sender = 100_000_000;
        publisher.Run(50);
        var end = stream.Live.Timeline.EndMicros;
        publisher.Lease.AppendData(0, [2, 0, 1, (byte)'x'], stream.Now);
        publisher.Lease.AppendData(long.MaxValue / 4, [2, 0, 1, (byte)'x'], stream.Now);
        stream.Live.Timeline.EndMicros.ShouldBe(end);
        stream.Units(TrackKind.Data).ShouldAllBe(unit => Math.Abs(unit.DtsMicros - end) <= 2_000);
    }

    private static void ShouldStepBy(List<LogEntry> units, long step) =>
        units.Zip(units.Skip(1), (a, b) => b.Dts - a.Dts).Distinct().ShouldBe([step]);

    private static void ShouldGrow(TestStream stream)
    {
        foreach (var units in new[] { stream.Units(TrackKind.Video), stream.Units(TrackKind.Audio) })
            units.Zip(units.Skip(1)).ShouldAllBe(pair => pair.Second.DtsMicros > pair.First.DtsMicros);
    }

    /// <summary>Audio and video that were sent together lie together.</summary>
    private static void ShouldBeInSync(TestStream stream)
    {
        var audio = stream.Units(TrackKind.Audio)[^1];
        var video = stream.Units(TrackKind.Video)[^1];
        Math.Abs(audio.DtsMicros - video.DtsMicros).ShouldBeLessThanOrEqualTo(60_000);
    }
}
