using System.Text;
using Millrace.Media;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Tests.Hls;

/// <summary>A snapshot is a state: what it says does not depend on when it is first asked.</summary>
public sealed class SnapshotTests
{
    [Fact]
    public void Whatever_comes_after_a_snapshot_changes_none_of_its_playlists()
    {
        foreach (var format in new[] { HlsFormat.LowLatency, HlsFormat.TransportStream })
        {
            var rig = new HlsRig();
            rig.Publish().Run(2);
            var album = new Album(rig.Use(format));
            rig.Source.Run(9);
            // Another size of picture and other sound, which joiners of now must not be told as those of then.
            rig.Source.Lease.SetConfig(0, Wider());
            rig.Source.Lease.SetConfig(0, LowLatencyRules.Mono());
            rig.Source.Run(9);
            rig.Source.Lease.End(isClean: false, rig.Stream.Now);
            rig.Idle(2);
            rig.Publish(lease => new MediaSource(rig.Stream, lease) { Sound = null }).Run(9);
            rig.Source.Lease.End(isClean: true, rig.Stream.Now);
            rig.Idle(200);

            album.Pictures.Count.ShouldBeGreaterThan(format == HlsFormat.LowLatency ? 40 : 4);
            album.Pictures.ShouldAllBe(picture => Album.Read(picture.Snapshot) == picture.Text);
            if (format == HlsFormat.LowLatency)
                album.Pictures.Select(picture => Resolution(picture.Text)).Where(text => text.Length > 0).Distinct().ShouldBe(["640x360", "1280x360"]);
        }
    }

    [Fact]
    public void The_master_names_the_parameters_of_the_newest_unit_in_the_snapshot()
    {
        var rig = new HlsRig();
        rig.Publish().Run(2);
        var packager = rig.Use();
        rig.Source.Run(9);
        var before = packager.Snapshot;
        rig.Source.Lease.SetConfig(0, Wider());
        rig.Source.Run(4);

        Resolution(Album.Read(before)).ShouldBe("640x360");
        Resolution(Album.Read(packager.Snapshot)).ShouldBe("1280x360");
    }

    private static string Resolution(string text) =>
        text.IndexOf("RESOLUTION=", StringComparison.Ordinal) is var at and >= 0 ? text[(at + 11)..].Split(',', '\n')[0] : "";

    private static Config Wider() => new()
    {
        Codec = Codec.H264,
        InitData = TestStream.H264Config.InitData,
        CodecString = "avc1.640028",
        Width = 1_280,
        Height = 360,
        NalLengthSize = 4,
    };

    /// <summary>Keeps each snapshot unread, with what a twin of it has said at its time.</summary>
    private sealed class Album : IHlsListener
    {
        private readonly HlsPackager _packager;

        public Album(HlsPackager packager)
        {
            _packager = packager;
            packager.Listener = this;
        }

        public List<(HlsSnapshot Snapshot, string Text)> Pictures { get; } = [];

        public static string Read(HlsSnapshot snapshot)
        {
            var text = new StringBuilder();
            foreach (var form in Enum.GetValues<PlaylistForm>())
            {
                text.Append(Encoding.UTF8.GetString(snapshot.Master(form).Bytes));
                foreach (var view in snapshot.Renditions)
                    text.Append(Encoding.UTF8.GetString(snapshot.Playlist(view, form).Bytes));
            }

            return text.ToString();
        }

        public void OnPublished()
        {
            var now = _packager.Snapshot;
            var twin = new HlsSnapshot(now.Packager, now.Renditions, now.Era, now.PartTargetMicros, now.TargetSeconds, now.IsEnded);
            Pictures.Add((now, Read(twin)));
        }
    }
}
