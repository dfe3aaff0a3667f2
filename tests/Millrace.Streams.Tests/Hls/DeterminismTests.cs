using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Tests.Hls;

/// <summary>Bytes depend on stream, Timeline, Marks and settings alone, not on when the packager started.</summary>
public sealed class DeterminismTests
{
    public static TheoryData<string, bool> Scenarios => Sources.Scenarios;

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void A_packager_that_starts_late_makes_the_same_objects(string name, bool isTransportStream)
    {
        var format = isTransportStream ? HlsFormat.TransportStream : HlsFormat.LowLatency;
        var rig = new HlsRig(new HlsOptions { Segments = 40 });
        Sources.Begin(rig, name);
        rig.Source.Run(1);
        var early = rig.Use(format);
        foreach (var start in new[] { 0.04, 5.3, 11.97 })
        {
            rig.Source.Run(start);
            var late = new LatePackager(rig, early);
            Sources.Go(rig, name, late.Follow);
            var common = Compare(early, late.Packager);
            common.ShouldBeGreaterThan(1, $"{name} at {start}");
            late.Packager.Dispose();
        }
    }

    [Fact]
    public void A_packager_that_was_stopped_by_idling_makes_the_same_objects_again()
    {
        var rig = new HlsRig(new HlsOptions { IdleMicros = 20_000_000 });
        rig.Publish().Run(10);
        var first = rig.Use();
        rig.Source.Run(17);
        var kept = Objects(first);
        rig.Source.Run(5);
        rig.Stream.Sweep();
        rig.Live.FindHls(HlsFormat.LowLatency).ShouldBeNull();
        rig.Stream.Budget[Buffers.MemoryUse.HlsWindows].Used.ShouldBe(0);

        var second = rig.Use();
        second.ShouldNotBe(first);
        rig.Source.Run(3);
        var common = Objects(second).Where(pair => kept.ContainsKey(pair.Key)).ToList();
        common.ShouldNotBeEmpty();
        common.ShouldAllBe(pair => pair.Value == kept[pair.Key]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Encrypted_segments_are_the_same_and_keys_change_when_they_should(int segmentsPerKey)
    {
        var rig = new HlsRig(new HlsOptions { Ts = new TsOptions { IsEncrypted = true, SegmentsPerKey = segmentsPerKey } });
        rig.Publish().Run(1);
        var early = rig.Use(HlsFormat.TransportStream);
        rig.Source.Run(31);
        var late = new LatePackager(rig, early);
        rig.Source.Run(30, late.Follow);
        Compare(early, late.Packager).ShouldBeGreaterThan(3);
        var keys = early.Snapshot.Renditions[0].Segments.Select(segment => segment.Key).Distinct().ToList();
        keys.Count.ShouldBe(segmentsPerKey == 0 ? 1 : 4);
    }

    [Fact]
    public void The_first_playlist_comes_with_a_whole_segment_and_at_once()
    {
        var rig = new HlsRig();
        rig.Publish().Run(23.7);
        var checker = rig.Watch();
        checker.Packager.Snapshot.IsPlayable.ShouldBeTrue();
        checker.Read(HlsRig.Video).Segments.Count.ShouldBeGreaterThanOrEqualTo(1);
        checker.Read(HlsRig.Video).Open.ShouldNotBeNull();
        var transport = rig.Watch(HlsFormat.TransportStream);
        transport.Packager.Snapshot.IsPlayable.ShouldBeTrue();
    }

    private static int Compare(HlsPackager early, HlsPackager late)
    {
        var (first, second) = (Objects(early), Objects(late));
        var common = 0;
        foreach (var (name, content) in second)
        {
            first.ShouldContainKey(name);
            content.ShouldBe(first[name], name);
            common += name.StartsWith("seg", StringComparison.Ordinal) ? 1 : 0;
        }

        foreach (var view in late.Snapshot.Renditions)
        {
            if (view.Segments.Length == 0)
                continue;
            var (ours, theirs) = (Tail(late, view, view.Segments[0].Number), Tail(early, early.Snapshot.Find(view.Id)!, view.Segments[0].Number));
            ours.ShouldBe(theirs);
        }

        return common;
    }

    /// <summary>All that the playlist says from a segment's own lines on.</summary>
    private static string Tail(HlsPackager packager, RenditionView view, long from)
    {
        var playlist = new ReadPlaylist(System.Text.Encoding.UTF8.GetString(packager.Snapshot.Playlist(view, PlaylistForm.Full).Bytes));
        return string.Join('\n', playlist.All.Where(segment => segment.Number >= from).Select(segment => segment.Facts + string.Join(' ', segment.Parts))) + playlist.Hint;
    }

    private static Dictionary<string, string> Objects(HlsPackager packager)
    {
        var objects = new Dictionary<string, string>();
        foreach (var view in packager.Snapshot.Renditions)
        {
            foreach (var segment in view.Segments)
            {
                objects[$"seg {view.Id} {segment.Number}"] = $"{segment.Name} {segment.ETag} {HlsSegment.Hash(segment.Bytes, 0, segment.Bytes.Head)} {segment.Key}";
                if (segment.Init is { } init)
                    objects[$"init {view.Id} {init.Era} {init.Config}"] = init.ETag;
                for (var i = 0; i < segment.PartCount; i++)
                    objects[$"part {view.Id} {segment.Number} {i}"] = segment.Parts[i].ToString();
            }

            for (var i = 0; i < view.OpenParts; i++)
                objects[$"part {view.Id} {view.Open!.Number} {i}"] = view.PartsOfOpen[i].ToString();
        }

        return objects;
    }
}

/// <summary>A second packager of a Timeline, filled from the log as the first was; the stream does not know of it.</summary>
internal sealed class LatePackager
{
    private readonly HlsRig _rig;
    private long _next;

    public LatePackager(HlsRig rig, HlsPackager early)
    {
        _rig = rig;
        Packager = new HlsPackager(rig.Live, early.Format, early.Options, rig.Live.Cuts[0], rig.Stream.Now);
        Packager.BackFill(rig.Live.Log!);
        Packager.Ask(rig.Stream.Now);
        _next = rig.Live.Log!.End;
    }

    public HlsPackager Packager { get; }

    /// <summary>Takes what has been appended since.</summary>
    public void Follow()
    {
        var log = _rig.Live.Log!;
        for (; _next < log.End; _next++)
        {
            var entry = log[_next];
            if (entry.Kind == Log.LogEntryKind.EraStart)
                Packager.OnEra(log.EraOf(entry.Number), log);
            else
                Packager.OnEntry(entry, log);
        }
    }
}
