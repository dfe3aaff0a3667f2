using Millrace.Media.Codecs;
using Millrace.Media.Flv;

namespace Millrace.Media.Tests;

/// <summary>A whole file of another writer; the expected numbers are ffprobe's (packets, sum of sizes, key flags, dts).</summary>
public sealed class SampleClipTests
{
    private static readonly byte[] Clip = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Media", "bbb-360p.flv"));

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(4096)]
    [InlineData(1)]
    public void Reads_what_ffprobe_reads_however_the_bytes_arrive(int step)
    {
        var seen = new Tally();
        var reader = new FlvTagReader();
        int start = 0, end = 0;
        while (end < Clip.Length)
        {
            end = (int)Math.Min((long)end + step, Clip.Length);
            bool hasTag;
            do
            {
                hasTag = reader.TryRead(Clip.AsSpan(start..end), out int consumed, out FlvTag tag);
                start += consumed;
                if (hasTag)
                    seen.Add(tag);
            }
            while (hasTag);
        }

        reader.Error.ShouldBeNull();
        start.ShouldBe(Clip.Length);
        seen.Scripts.ShouldBe(1);
        seen.Audio.ShouldBe((432, 60_163L, 432, 0u, 10_008u));
        seen.Video.ShouldBe((250, 356_943L, 4, 80u, 10_040u));
        seen.Configs.ShouldBe(["avc1.42c01e 640x360 25", "mp4a.40.2 44100 2 1024"]);
    }

    [Fact]
    public void Every_body_is_written_back_byte_for_byte()
    {
        var reader = new FlvTagReader();
        Config? audio = null, video = null;
        byte[] header = new byte[FlvBodyWriter.MaxHeaderLength];
        for (int start = 0; reader.TryRead(Clip.AsSpan(start), out int consumed, out FlvTag tag); start += consumed)
        {
            if (tag.Type == FlvTagType.Script)
                continue;
            var body = new FlvBodyReader(Tally.KindOf(tag), tag.Body);
            body.TryRead(out FlvPayload payload).ShouldBeTrue();
            ref Config? config = ref payload.Kind == TrackKind.Audio ? ref audio : ref video;
            if (payload.Type == FlvPacketType.SequenceStart)
                ConfigParser.TryParse(payload.Codec, payload.Data, out config, out _).ShouldBeTrue();
            int length = payload.Type switch
            {
                FlvPacketType.SequenceStart => FlvBodyWriter.WriteSequenceStart(header, config!, FlvForm.Enhanced),
                FlvPacketType.SequenceEnd => FlvBodyWriter.WriteSequenceEnd(header, config!, FlvForm.Enhanced),
                _ => FlvBodyWriter.WriteFrames(header, config!, FlvForm.Legacy, payload.IsKey, payload.CompositionTimeMs),
            };
            tag.Body[..length].SequenceEqual(header.AsSpan(0, length)).ShouldBeTrue();
            tag.Body[length..].SequenceEqual(payload.Data).ShouldBeTrue();
        }
    }

    private sealed class Tally
    {
        private (int Count, long Bytes, int Keys, uint First, uint Last) _audio, _video;

        public int Scripts { get; private set; }

        public (int Count, long Bytes, int Keys, uint First, uint Last) Audio => _audio;

        public (int Count, long Bytes, int Keys, uint First, uint Last) Video => _video;

        public List<string> Configs { get; } = [];

        public static TrackKind KindOf(FlvTag tag) => tag.Type == FlvTagType.Audio ? TrackKind.Audio : TrackKind.Video;

        public void Add(FlvTag tag)
        {
            if (tag.Type == FlvTagType.Script)
            {
                Scripts++;
                return;
            }

            var body = new FlvBodyReader(KindOf(tag), tag.Body);
            while (body.TryRead(out FlvPayload payload))
                Add(payload, tag.TimestampMs);
            body.Error.ShouldBeNull();
        }

        private void Add(FlvPayload payload, uint time)
        {
            if (payload.Type == FlvPacketType.SequenceStart)
            {
                ConfigParser.TryParse(payload.Codec, payload.Data, out Config? config, out string? error).ShouldBeTrue(error);
                Configs.Add(config.Kind == TrackKind.Video
                    ? $"{config.CodecString} {config.Width}x{config.Height} {config.FrameRate}"
                    : $"{config.CodecString} {config.SampleRate} {config.Channels} {config.SamplesPerFrame}");
            }
            else if (payload.Type == FlvPacketType.Frames)
            {
                ref var sum = ref payload.Kind == TrackKind.Audio ? ref _audio : ref _video;
                sum = (sum.Count + 1, sum.Bytes + payload.Data.Length, sum.Keys + (payload.IsKey ? 1 : 0),
                    sum.Count == 0 ? time : sum.First, time);
                if (payload.Kind == TrackKind.Video)
                {
                    NalSummary summary = NalUnits.Inspect(payload.Codec, payload.Data, 4);
                    summary.IsValid.ShouldBeTrue();
                    summary.IsKey.ShouldBe(payload.IsKey);
                }
            }
        }
    }
}
