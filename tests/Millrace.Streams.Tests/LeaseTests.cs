using Millrace.Media;
using Millrace.Streams.Log;
using Millrace.Streams.Publishing;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests;

public sealed class LeaseTests
{
    private const long Second = 1_000_000;

    [Fact]
    public void A_second_publisher_is_refused_while_the_first_sends()
    {
        var stream = new TestStream();
        stream.Publish().Run(30);
        stream.TryPublish(DuplicatePolicy.Reject, out var refusal).ShouldBeNull();
        refusal.ShouldNotBeNull();
    }

    [Fact]
    public void A_holder_that_is_silent_for_2_s_loses_to_a_newcomer()
    {
        var stream = new TestStream();
        string? reason = null;
        var old = stream.Publish(onRevoked: text => reason = text);
        old.Run(30);
        stream.Now += (2 * Second) - TestStream.Frame - 1;
        stream.TryPublish(DuplicatePolicy.Reject, out _).ShouldBeNull();
        stream.Now += 1;
        var newcomer = stream.Publish();
        reason.ShouldNotBeNull();
        newcomer.Run(30);
        old.Video().ShouldBe(AppendResult.Stale);
        stream.Era.Reason.ShouldBe(EraReason.Reconnect);
    }

    [Fact]
    public void A_silent_holder_stays_until_a_newcomer_on_trial_has_sent_a_key_frame()
    {
        var stream = new TestStream();
        string? reason = null;
        var old = stream.Publish(onRevoked: text => reason = text);
        old.Run(30);
        stream.Now += 2 * Second;
        var info = new PublisherInfo("b", "test", "test", DuplicatePolicy.Reject, 0) { IsOnTrial = true };
        var refused = stream.Live.TryAcquire(info, static _ => { }, stream.Now, out _).ShouldNotBeNull();
        reason.ShouldBeNull();
        refused.End(isClean: false, stream.Now);
        old.Video().ShouldBe(AppendResult.Done);
        stream.Live.Holder.ShouldBe(old.Lease);

        stream.TryPublish(DuplicatePolicy.Reject, out _).ShouldBeNull("it sends again");
    }

    [Fact]
    public void A_takeover_happens_at_the_newcomers_first_key_frame()
    {
        var stream = new TestStream(TestStream.KeepAll);
        string? reason = null;
        var old = stream.Publish(onRevoked: text => reason = text);
        old.Run(30);
        var id = stream.Live.Timeline.Id;
        var newcomer = stream.Publish(duplicate: DuplicatePolicy.Takeover);
        newcomer.Lease.Promise(video: true, audio: true);
        newcomer.Video(isKey: false);
        newcomer.Audio();
        old.Video().ShouldBe(AppendResult.Done);
        reason.ShouldBeNull();
        newcomer.Video(isKey: true);
        reason.ShouldNotBeNull();
        old.Video().ShouldBe(AppendResult.Stale);
        old.Lease.AppendData(0, [5], stream.Now).ShouldBe(AppendResult.Stale);
        old.Lease.SetConfig(0, TestStream.H264Config).ShouldBe(AppendResult.Stale);
        old.Lease.End(isClean: true, stream.Now);
        newcomer.Run(30);
        stream.Live.State.ShouldBe(StreamState.Live);
        stream.Live.Timeline.Id.ShouldBe(id);
        stream.Era.Reason.ShouldBe(EraReason.Takeover);
        stream.Era.Number.ShouldBe(1);
    }

    [Fact]
    public void The_old_lease_ends_with_the_newcomers_key_frame_even_if_its_tracks_are_not_settled()
    {
        var stream = new TestStream();
        var old = stream.Publish();
        old.Run(30);
        var newcomer = stream.Publish(duplicate: DuplicatePolicy.Takeover);
        newcomer.Video(isKey: true);
        old.Video().ShouldBe(AppendResult.Stale);
        stream.Era.Number.ShouldBe(0);
    }

    [Fact]
    public void Who_waits_to_take_over_is_not_lost_when_the_holder_leaves_first()
    {
        var stream = new TestStream();
        var old = stream.Publish();
        old.Run(30);
        var newcomer = stream.Publish(duplicate: DuplicatePolicy.Takeover);
        old.Lease.End(isClean: false, stream.Now);
        stream.TryPublish(DuplicatePolicy.Reject, out _).ShouldBeNull();
        newcomer.Run(30);
        stream.Era.Reason.ShouldBe(EraReason.Reconnect);
        stream.Live.Holder.ShouldBe(newcomer.Lease);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20_000)]
    [InlineData(3_500_000)]
    public void A_reconnect_continues_by_one_frame_or_the_wall_gap_with_one_offset(long gap)
    {
        var stream = new TestStream(TestStream.KeepAll);
        var first = stream.Publish();
        first.Run(50);
        var id = stream.Live.Timeline.Id;
        var lastVideo = stream.Units(TrackKind.Video)[^1];
        var end = stream.Live.Timeline.EndMicros;
        first.Lease.End(isClean: true, stream.Now);
        stream.Now += gap - TestStream.Frame;
        stream.Sweep();

        var second = stream.Publish();
        second.Sender = 900 * Second;
        second.Run(50);
        stream.Live.Timeline.Id.ShouldBe(id);
        stream.EraStarts.ShouldBe(2);
        var video = stream.Units(TrackKind.Video).Find(unit => unit.EraNumber == 1);
        video.IsKey.ShouldBeTrue();
        var expected = Math.Max(end, lastVideo.DtsMicros + gap);
        (video.DtsMicros - expected).ShouldBeInRange(-25_000, 25_000);
        var audio = stream.Units(TrackKind.Audio).Find(unit => unit.EraNumber == 1);
        Math.Abs(audio.DtsMicros - video.DtsMicros).ShouldBeLessThanOrEqualTo(1_000);
        var audios = stream.Units(TrackKind.Audio);
        audios.Zip(audios.Skip(1)).ShouldAllBe(pair => pair.Second.DtsMicros > pair.First.DtsMicros);
    }

    [Fact]
    public void After_the_grace_a_new_timeline_begins_and_the_wires_have_ended()
    {
        var stream = new TestStream();
        var first = stream.Publish(grace: 5 * Second);
        first.Run(30);
        var id = stream.Live.Timeline.Id;
        using var viewer = new WireViewer(stream, WireKey.Flv(Millrace.Media.Flv.FlvForm.Legacy));
        first.Lease.End(isClean: true, stream.Now);
        viewer.Signals.ShouldBe([WireSignal.Unpublished]);
        stream.Now += (5 * Second) - 1;
        stream.Sweep();
        stream.Live.State.ShouldBe(StreamState.Grace);
        stream.Now += 1;
        stream.Sweep();
        viewer.Signals.ShouldBe([WireSignal.Unpublished, WireSignal.Ended]);
        viewer.Wire.IsEnded.ShouldBeTrue();
        stream.Live.Detach(viewer.Wire, viewer, stream.Now);
        stream.Publish().Run(30);
        stream.Live.Timeline.Id.ShouldNotBe(id);
        stream.Era.Reason.ShouldBe(EraReason.Start);
        stream.Units(TrackKind.Video)[0].Dts.ShouldBe(0);
    }

    [Fact]
    public void A_publisher_that_comes_after_the_grace_finds_no_old_timeline_even_before_the_sweep()
    {
        var stream = new TestStream();
        var first = stream.Publish(grace: Second);
        first.Run(30);
        var id = stream.Live.Timeline.Id;
        first.Lease.End(isClean: false, stream.Now);
        stream.Now += Second;
        stream.Publish().Run(30);
        stream.Live.Timeline.Id.ShouldNotBe(id);
    }

    [Fact]
    public void A_publisher_back_within_the_grace_keeps_the_timeline_until_its_key_frame_comes()
    {
        var stream = new TestStream();
        var first = stream.Publish(grace: Second);
        first.Run(30);
        var id = stream.Live.Timeline.Id;
        first.Lease.End(isClean: false, stream.Now);
        stream.Now += Second / 2;
        var second = stream.Publish(grace: Second);
        stream.Now += Second;
        stream.Sweep();
        second.Run(30);
        stream.Live.Timeline.Id.ShouldBe(id);
    }

    [Fact]
    public void A_kick_takes_the_lease_at_once()
    {
        var stream = new TestStream();
        string? reason = null;
        var publisher = stream.Publish(onRevoked: text => reason = text);
        publisher.Run(30);
        stream.Live.Kick("by the operator", stream.Now).ShouldBeTrue();
        reason.ShouldBe("by the operator");
        publisher.Video().ShouldBe(AppendResult.Stale);
        stream.Live.State.ShouldBe(StreamState.Grace);
        stream.Live.Kick("again", stream.Now).ShouldBeFalse();
    }
}
