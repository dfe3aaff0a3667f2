using Millrace.Media;

namespace Millrace.Streams.Tests.Hls;

/// <summary>Publishers of all kinds, by name; each with both forms of HLS.</summary>
internal static class Sources
{
    public static TheoryData<string, bool> Scenarios
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var name in new[] { "steady", "sound ahead", "sound late", "holes", "reordering", "reconnect", "sound stalls", "pictures stall", "parameters", "odd rate", "sound alone" })
            {
                data.Add(name, false);
                data.Add(name, true);
            }

            return data;
        }
    }

    public static void Begin(HlsRig rig, string name) => rig.Publish(lease => name switch
    {
        "sound ahead" => new MediaSource(rig.Stream, lease) { SoundLate = -600_000 },
        "sound late" => new MediaSource(rig.Stream, lease) { SoundLate = 700_000 },
        "reordering" => new MediaSource(rig.Stream, lease) { HasReordering = true },
        "odd rate" => new MediaSource(rig.Stream, lease) { FrameRate = 23.976, Group = 77, Sound = MediaSource.Aac48 },
        "sound alone" => new MediaSource(rig.Stream, lease) { Picture = null },
        "holes" => new MediaSource(rig.Stream, lease) { IsPictureLost = static time => time % 9_000_000 > 8_200_000, IsSoundLost = static time => time % 7_000_000 > 5_600_000 },
        "sound stalls" => new MediaSource(rig.Stream, lease) { IsSoundLost = static time => time % 16_000_000 > 4_000_000 },
        "pictures stall" => new MediaSource(rig.Stream, lease) { IsPictureLost = static time => time % 16_000_000 > 12_000_000 },
        _ => new MediaSource(rig.Stream, lease),
    });

    public static void Go(HlsRig rig, string name, Action follow)
    {
        if (name == "parameters")
        {
            rig.Source.OnKey = number => rig.Source.Lease.SetConfig(0, new Media.Config
            {
                Codec = Media.Codec.H264,
                InitData = (byte[])[1, 2, (byte)(number / 50 % 5), 4, .. TestStream.H264Config.InitData.Span[4..]],
                CodecString = "avc1",
                Width = 640,
                Height = 360,
                NalLengthSize = 4,
            });
        }

        rig.Source.Run(15, follow);
        if (name == "reconnect")
        {
            rig.Source.Lease.End(isClean: false, rig.Stream.Now);
            follow();
            rig.Stream.Now += 2_000_000;
            rig.Publish();
        }

        rig.Source.Run(15, follow);
    }
}
