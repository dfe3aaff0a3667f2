using System.Buffers;
using Millrace.Media;
using Millrace.Media.Amf;
using Millrace.Media.Codecs;
using Millrace.Media.Flv;
using Millrace.Streams.Log;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests;

public sealed class TrackTests
{
    private static readonly WireKey Flv = WireKey.Flv(FlvForm.Enhanced);

    [Fact]
    public void Promised_tracks_open_the_era_at_once()
    {
        var stream = new TestStream();
        var publisher = stream.Publish(audio: false);
        publisher.Lease.Promise(video: true, audio: true);
        publisher.Video(isKey: true);
        stream.Live.State.ShouldBe(StreamState.Idle);
        publisher.Lease.SetConfig(0, TestStream.AacConfig);
        publisher.Audio();
        stream.Live.State.ShouldBe(StreamState.Live);
        Kinds(stream.Era).ShouldBe([TrackKind.Video, TrackKind.Audio, TrackKind.Data]);
    }

    [Fact]
    public void Without_a_promise_the_set_settles_300_ms_after_the_first_key_frame()
    {
        var stream = new TestStream();
        var publisher = stream.Publish(audio: false);
        publisher.Run(8, audio: false);
        stream.Live.Timeline.Era.ShouldBeNull();
        publisher.Run(1, audio: false);
        stream.Live.Timeline.Era.ShouldNotBeNull();
        stream.Units(TrackKind.Video).Count.ShouldBe(9);
    }

    [Fact]
    public void A_promise_that_is_not_kept_ends_after_3_s()
    {
        var stream = new TestStream();
        var publisher = stream.Publish(audio: false);
        publisher.Lease.Promise(video: true, audio: true);
        publisher.Run(75, audio: false);
        stream.Live.Timeline.Era.ShouldBeNull();
        publisher.Run(1, audio: false);
        Kinds(stream.Era).ShouldBe([TrackKind.Video, TrackKind.Data]);
    }

    [Fact]
    public void A_late_track_begins_a_new_era_at_the_next_key_frame()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish(audio: false);
        publisher.Run(30, audio: false);
        publisher.Lease.SetConfig(0, TestStream.AacConfig);
        publisher.Run(20);
        stream.Era.Number.ShouldBe(0);
        publisher.Run(20);
        stream.Era.Number.ShouldBe(1);
        stream.Era.Reason.ShouldBe(EraReason.TracksChanged);
        var video = stream.Units(TrackKind.Video);
        video.Find(unit => unit.EraNumber == 1).IsKey.ShouldBeTrue();
        video.Zip(video.Skip(1)).ShouldAllBe(pair => pair.Second.Dts - pair.First.Dts == 3_600);
        stream.Units(TrackKind.Audio).ShouldNotBeEmpty();
    }

    [Fact]
    public void Video_that_is_announced_but_never_comes_leaves_an_audio_stream_that_viewers_can_join()
    {
        var stream = new TestStream();
        var publisher = stream.Publish();
        publisher.Run(100, video: false);
        Kinds(stream.Era).ShouldBe([TrackKind.Audio, TrackKind.Data]);
        using var viewer = new WireViewer(stream, Flv);
        viewer.Pull().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Stalled_video_does_not_hold_up_a_change_of_audio()
    {
        var stream = new TestStream();
        var publisher = stream.Publish();
        publisher.Run(30);
        publisher.Lease.SetConfig(0, OpusConfig());
        publisher.Run(120, video: false);
        stream.Era.Tracks[1].Codec.ShouldBe(Codec.Opus);
    }

    [Fact]
    public void New_parameter_sets_are_a_new_config_at_the_key_frame()
    {
        var stream = new TestStream();
        using var viewer = new WireViewer(stream, Flv);
        var publisher = stream.Publish();
        publisher.Run(30);
        publisher.Lease.SetConfig(0, OtherH264());
        publisher.Run(10, onFrame: () => stream.Era.Tracks[0].Configs.Length.ShouldBe(1));
        publisher.Run(20);
        stream.Era.Number.ShouldBe(0);
        stream.Era.Tracks[0].Configs.Length.ShouldBe(2);

        viewer.Pull();
        var video = viewer.Messages().FindAll(message => message.Type == 9);
        var header = video.FindLastIndex(message => message.Body[1] == 0);
        video[header].Body.AsSpan(5).SequenceEqual(OtherH264().InitData.Span).ShouldBeTrue();
        (video[header + 1].Body[0] >> 4).ShouldBe(1);
        video[header].Timestamp.ShouldBe(video[header + 1].Timestamp);

        using var joiner = new WireViewer(stream, Flv);
        joiner.Pull();
        joiner.Messages().First(message => message.Type == 9).Body.AsSpan(5).SequenceEqual(OtherH264().InitData.Span).ShouldBeTrue();
    }

    [Fact]
    public void Another_codec_begins_a_new_era()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish();
        publisher.Run(30);
        publisher.Lease.SetConfig(0, OpusConfig());
        publisher.Run(30);
        stream.Era.Number.ShouldBe(1);
        stream.Era.Tracks[1].Codec.ShouldBe(Codec.Opus);
        stream.Era.Tracks[1].Timescale.ShouldBe(48_000);
        var audio = stream.Units(TrackKind.Audio);
        audio.Zip(audio.Skip(1)).ShouldAllBe(pair => pair.Second.DtsMicros > pair.First.DtsMicros);
    }

    [Fact]
    public void What_a_format_cannot_carry_is_said()
    {
        var stream = new TestStream();
        var publisher = stream.Publish(video: false, audio: false);
        publisher.Lease.SetConfig(0, OpusConfig());
        publisher.Run(30, video: false);
        using var viewer = new WireViewer(stream, WireKey.Flv(FlvForm.Legacy));
        viewer.Unsupported.ShouldBe("opus cannot be carried in legacy flv");
        stream.Live.WireCount.ShouldBe(0);
    }

    [Fact]
    public void Tracks_beyond_the_first_keep_their_number_in_the_enhanced_form_and_are_left_out_of_the_legacy_one()
    {
        var stream = new TestStream();
        using var enhanced = new WireViewer(stream, Flv);
        using var legacy = new WireViewer(stream, WireKey.Flv(FlvForm.Legacy));
        var publisher = stream.Publish();
        publisher.Lease.SetConfig(7, TestStream.H264Config);
        publisher.Run(60, onFrame: () => publisher.Video(isKey: (publisher.Count - 1) % 25 == 0, sourceId: 7));
        enhanced.Pull();
        legacy.Pull();
        Ids(enhanced).ShouldBe([0, 1]);
        Ids(legacy).ShouldBe([0]);
        Count(enhanced).ShouldBe(2 * Count(legacy));

        static int Count(WireViewer viewer) => viewer.Messages().Count(message => message.Type == 9 && Read(message).Type == FlvPacketType.Frames);

        static int[] Ids(WireViewer viewer) =>
            [.. viewer.Messages().Where(message => message.Type == 9).Select(message => (int)Read(message).TrackId).Distinct().Order()];

        static FlvPayload Read(SeenMessage message)
        {
            var reader = new FlvBodyReader(TrackKind.Video, message.Body);
            reader.TryRead(out var payload).ShouldBeTrue();
            return payload;
        }
    }

    [Fact]
    public void Data_pass_byte_for_byte()
    {
        byte[] data = [2, 0, 10, .. "onTextData"u8, 17, 0xFF, 0xFE, 1];
        foreach (var key in WireBytesTests.Keys)
        {
            var stream = new TestStream();
            using var viewer = new WireViewer(stream, key);
            var publisher = stream.Publish();
            publisher.Lease.AppendData(0, data, stream.Now);
            publisher.Run(30);
            publisher.Lease.AppendData(publisher.Sender, data, stream.Now);
            viewer.Pull();
            viewer.Messages().Count(message => message.Type == 18 && message.Body.AsSpan().SequenceEqual(data)).ShouldBe(2);
        }
    }

    [Fact]
    public void Metadata_are_merged_and_replayed_to_joiners()
    {
        var stream = new TestStream();
        using var early = new WireViewer(stream, Flv);
        var publisher = stream.Publish();
        var first = Metadata(("width", 640), ("encoder", 1));
        publisher.Lease.SetMetadata(first, stream.Now);
        publisher.Run(30);
        early.Pull();
        early.Messages()[0].Body.ShouldBe(first);

        publisher.Lease.SetMetadata(Metadata(("encoder", 2), ("title", 3)), stream.Now);
        // A second that cannot be read passes, and changes nothing that is known.
        byte[] strange = [2, 0, 10, .. "onMetaData"u8, 17, 0xFF];
        publisher.Lease.SetMetadata(strange, stream.Now);
        publisher.Run(30);
        early.Pull();
        early.Messages().Count(message => message.Body.AsSpan().SequenceEqual(strange)).ShouldBe(1);
        var expected = new[] { ("width", 640.0), ("encoder", 2.0), ("title", 3.0) };
        early.Messages().Select(Read).ShouldContain(members => members.SequenceEqual(expected));
        using var joiner = new WireViewer(stream, Flv);
        joiner.Pull();
        Read(joiner.Messages()[0]).ShouldBe(expected);
    }

    private static TrackKind[] Kinds(Era era) => [.. era.Tracks.Select(track => track.Kind)];

    private static (string, double)[] Read(SeenMessage message)
    {
        var reader = new Amf0Reader(message.Body);
        return message.Type == 18 && reader.TryReadString(out var name) && name == "onMetaData" && reader.TryRead(out var value)
            ? [.. value.Properties.Select(property => (property.Name, property.Value.Number))]
            : [];
    }

    private static byte[] Metadata(params (string Name, double Value)[] members)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new Amf0Writer(output);
        writer.String("onMetaData");
        writer.StartObject();
        foreach (var (name, value) in members)
            writer.Member(name, value);
        writer.EndObject();
        return output.WrittenSpan.ToArray();
    }

    private static Config OpusConfig()
    {
        byte[] head = [.. "OpusHead"u8, 1, 2, 0x38, 1, 0x80, 0xBB, 0, 0, 0, 0, 0];
        ConfigParser.TryParse(Codec.Opus, head, out var config, out _).ShouldBeTrue();
        return config!;
    }

    /// <summary>The clip's parameter sets with another level.</summary>
    private static Config OtherH264()
    {
        var record = TestStream.H264Config.InitData.ToArray();
        (record[3], record[11]) = ((byte)(record[3] + 1), (byte)(record[11] + 1));
        ConfigParser.TryParse(Codec.H264, record, out var config, out _).ShouldBeTrue();
        return config!;
    }
}
