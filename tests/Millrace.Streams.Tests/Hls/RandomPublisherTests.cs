using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Tests.Hls;

/// <summary>Publishers that do whatever comes to their mind, by seed.</summary>
public sealed class RandomPublisherTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 14)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_snapshot_is_sound_whatever_the_publisher_does(int seed)
    {
        var random = new Random(seed);
        var rig = new HlsRig(new HlsOptions
        {
            Cuts = new CutRule { SegmentMicros = random.Next(1, 7) * 1_000_000, PartMicros = random.Next(1, 11) * 100_000, IsStrict = random.Next(5) == 0 },
            Segments = random.Next(3, 12),
            IsWarm = random.Next(3) == 0,
        });
        Publish(rig, random);
        rig.Source.Run(random.NextDouble() * 8 + 1.5);
        var checker = new PlaylistChecker(rig.Use(), () => rig.Stream.Now) { IsTimeSteady = false };
        var transport = new PlaylistChecker(rig.Use(HlsFormat.TransportStream), () => rig.Stream.Now) { IsTimeSteady = false };
        for (var i = 0; i < 16; i++)
        {
            Disturb(rig, random);
            rig.Source.Run(random.NextDouble() * 4);
            rig.Stream.Sweep();
        }

        rig.Source.Lease.End(isClean: true, rig.Stream.Now);
        rig.Idle(12);
        checker.Packager.Snapshot.IsEnded.ShouldBeTrue();
        transport.Packager.Snapshot.IsEnded.ShouldBeTrue();
        checker.Snapshots.ShouldBeGreaterThan(20);
        rig.Idle(500);
        rig.Stream.Budget.Used.ShouldBe(0);
    }

    private static void Publish(HlsRig rig, Random random, DuplicatePolicy duplicate = DuplicatePolicy.Reject)
    {
        double[] rates = [5, 12.5, 15, 23.976, 25, 29.97, 30, 50, 60];
        Media.Config[] sounds = [TestStream.AacConfig, MediaSource.Aac48, MediaSource.Mp3];
        var rate = rates[random.Next(rates.Length)];
        var hasPictures = random.Next(8) > 0;
        rig.Publish(
            lease => new MediaSource(rig.Stream, lease)
            {
                FrameRate = rate,
                Group = random.Next(6) == 0 ? 0 : (int)(rate * (0.3 + (random.NextDouble() * 9))),
                Picture = hasPictures ? TestStream.H264Config : null,
                Sound = hasPictures && random.Next(5) == 0 ? null : sounds[random.Next(sounds.Length)],
                SoundLate = random.Next(-900_000, 900_000),
                HasReordering = random.Next(2) == 0,
                Pace = random.Next(5) == 0 ? 0.7 + random.NextDouble() : 1,
            },
            duplicate: duplicate);
    }

    private static void Disturb(HlsRig rig, Random random)
    {
        var source = rig.Source;
        var at = source.Time;
        switch (random.Next(10))
        {
            case 0:
                source.Lease.End(isClean: random.Next(2) == 0, rig.Stream.Now);
                rig.Idle(random.NextDouble() * 9);
                Publish(rig, random);
                break;
            case 1:
                Publish(rig, random, DuplicatePolicy.Takeover);
                source.Lease.End(isClean: false, rig.Stream.Now);
                break;
            case 2:
                var (from, to) = (at + random.Next(2_000_000), at + random.Next(9_000_000));
                source.IsPictureLost = time => time > from && time < to;
                source.IsSoundLost = random.Next(2) == 0 ? source.IsPictureLost : source.IsSoundLost;
                break;
            case 3:
                var loss = random.Next(2, 9);
                source.IsPictureLost = time => time / 40_000 * 7_919 % loss == 0;
                break;
            case 4:
                var jitter = random.Next(1, 60) * 1_000;
                source.Clock = time => time + (time / 10_000 * 31 % jitter);
                break;
            case 5:
                var jump = random.Next(-5_000_000, 20_000_000);
                var old = source.Clock;
                source.Clock = time => old(time) + (time > at ? jump : 0);
                break;
            case 6:
                var still = at + 500_000;
                source.Clock = time => Math.Min(time, still);
                break;
            case 7 when source.Picture is not null:
                var number = random.Next(4);
                source.Lease.SetConfig(0, new Media.Config
                {
                    Codec = Media.Codec.H264,
                    InitData = (byte[])[.. TestStream.H264Config.InitData.Span[..^1], (byte)number],
                    CodecString = "avc1.42c01e",
                    Width = number % 2 == 0 ? 640 : 320,
                    Height = 360,
                    NalLengthSize = 4,
                });
                break;
            case 8:
                source.Clock = static time => time;
                source.IsPictureLost = source.IsSoundLost = static _ => false;
                break;
            default:
                source.SoundLate = random.Next(-900_000, 900_000);
                break;
        }
    }
}
