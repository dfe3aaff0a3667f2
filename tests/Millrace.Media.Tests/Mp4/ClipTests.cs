using Millrace.Media.Codecs;
using Millrace.Media.Flv;
using Millrace.Media.Mp4;
using Millrace.Testing;

namespace Millrace.Media.Tests.Mp4;

/// <summary>The clip's tracks as fragments of half a second, read back by another reader.</summary>
public sealed class ClipTests
{
    [Theory]
    [InlineData(TrackKind.Video, 250, 356_943, 4)]
    [InlineData(TrackKind.Audio, 432, 60_163, 432)]
    public void A_real_track_reads_back_unit_for_unit(TrackKind kind, int units, int bytes, int keys)
    {
        (Config config, List<(Sample Sample, byte[] Data)> track) = Load(kind);
        InitSection.CodecString(config).ShouldBe(kind == TrackKind.Video ? "avc1.42c01e" : "mp4a.40.2");
        Box.Read(InitSection.Write(config, Timescale.Milliseconds, "en")).Count.ShouldBe(2);

        var read = new List<ReadSample>();
        uint sequence = 0;
        foreach (var part in track.GroupBy(static unit => unit.Sample.Dts / 500))
        {
            Sample[] samples = [.. part.Select(static unit => unit.Sample)];
            byte[] header = new byte[Fragment.MeasureHeader(samples, kind)];
            Fragment.WriteHeader(header, ++sequence, samples, kind);
            read.AddRange(FragmentReader.Read([.. header, .. part.SelectMany(static unit => unit.Data)]));
        }

        read.Count.ShouldBe(units);
        read.Sum(static sample => sample.Payload.Length).ShouldBe(bytes);
        read.Count(static sample => sample.Flags == 0x02000000).ShouldBe(keys);
        for (int i = 0; i < units; i++)
        {
            (read[i].Dts, read[i].Pts, (int)read[i].Duration).ShouldBe((track[i].Sample.Dts, track[i].Sample.Pts, track[i].Sample.Duration));
            read[i].Payload.AsSpan().SequenceEqual(track[i].Data).ShouldBeTrue();
        }
    }

    private static (Config Config, List<(Sample Sample, byte[] Data)> Units) Load(TrackKind kind)
    {
        Config? config = null;
        var units = new List<(Sample Sample, byte[] Data)>();
        foreach (ClipTag tag in MediaClip.Tags.Where(tag => tag.Type == (kind == TrackKind.Video ? FlvTagType.Video : FlvTagType.Audio)))
        {
            var body = new FlvBodyReader(kind, tag.Body);
            body.TryRead(out FlvPayload payload).ShouldBeTrue();
            if (payload.Type == FlvPacketType.SequenceStart)
                ConfigParser.TryParse(payload.Codec, payload.Data, out config, out _).ShouldBeTrue();
            if (payload.Type != FlvPacketType.Frames)
                continue;
            var sample = new Sample
            {
                Length = payload.Data.Length,
                Dts = tag.TimestampMs,
                Pts = tag.TimestampMs + payload.CompositionTimeMs,
                Duration = kind == TrackKind.Video ? 40 : 23,
                IsKey = payload.IsKey,
            };
            units.Add((sample, payload.Data.ToArray()));
        }

        // A sample lasts until the next one.
        for (int i = 0; i + 1 < units.Count; i++)
            units[i] = (units[i].Sample with { Duration = (int)(units[i + 1].Sample.Dts - units[i].Sample.Dts) }, units[i].Data);
        return (config!, units);
    }
}
