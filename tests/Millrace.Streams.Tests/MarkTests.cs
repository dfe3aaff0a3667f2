using Millrace.Streams.Hls;
using Millrace.Streams.Log;

namespace Millrace.Streams.Tests;

/// <summary>Marks are in the log for packagers of segments; a packager of messages passes over them.</summary>
public sealed class MarkTests
{
    [Fact]
    public void Each_segment_mark_lies_right_before_the_key_frame_at_its_border()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish(audio: false);
        publisher.Lease.Promise(video: true, audio: false);
        publisher.Run(1_000, audio: false);

        var entries = stream.Entries;
        var cuts = Enumerable.Range(0, entries.Count).Where(i => entries[i].Kind == LogEntryKind.Mark && entries[i].Mark.Kind == MarkKind.Segment).ToList();
        cuts.ConvertAll(i => entries[i].Mark.Number).ShouldBe([0, 1, 2, 3, 4, 5, 6, 7]);
        cuts.ShouldAllBe(i => entries[i + 1].Kind == LogEntryKind.Unit && entries[i + 1].IsKey && entries[i + 1].DtsMicros == entries[i].DtsMicros);
        entries.Where(entry => entry.Kind == LogEntryKind.Mark).ShouldAllBe(entry => entry.EraNumber == stream.Era.Number && entry.Length == 0 && entry.Mark.Series == MarkSeries.LowLatency);
    }

    [Fact]
    public void Parts_are_numbered_from_0_in_each_segment()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish();
        publisher.Run(500);

        var segments = new List<List<long>>();
        foreach (var mark in stream.Entries.Where(entry => entry.Kind == LogEntryKind.Mark).Select(entry => entry.Mark))
        {
            if (mark.Kind == MarkKind.Segment)
                segments.Add([]);
            else
                segments[^1].Add(mark.Number);
        }

        segments.Count.ShouldBeGreaterThan(2);
        segments.ShouldAllBe(parts => parts.SequenceEqual(Enumerable.Range(0, parts.Count).Select(i => (long)i)));
    }

    [Fact]
    public void A_packager_of_another_format_writes_the_same_with_marks_and_without()
    {
        foreach (var key in WireBytesTests.Keys)
        {
            var (watched, joined) = Play(hasMarks: true);
            var (plainWatched, plainJoined) = Play(hasMarks: false);
            watched.ShouldBe(plainWatched, key.ToString());
            joined.ShouldBe(plainJoined, key.ToString());
            joined.ShouldNotBeEmpty();

            (List<string> Watched, List<string> Joined) Play(bool hasMarks)
            {
                var stream = new TestStream(hls: new HlsOptions { IsEnabled = hasMarks });
                using var viewer = new WireViewer(stream, key);
                var publisher = stream.Publish();
                publisher.Lease.Promise(video: true, audio: true);
                publisher.Run(60);
                stream.Entries.Exists(entry => entry.Kind == LogEntryKind.Mark).ShouldBe(hasMarks);
                viewer.Pull();

                // Nobody has read this form so far: it is written from the log, across the Marks in it.
                using var joiner = new WireViewer(stream, key with { Tracks = Wire.WireTracks.VideoOnly });
                joiner.Pull();
                return (Media(viewer), Media(joiner));
            }
        }
    }

    /// <summary>Sound and pictures; the data messages name the Timeline, which has another number in each stream.</summary>
    private static List<string> Media(WireViewer viewer) =>
        [.. viewer.Messages().Where(message => message.Type != 18).Select(message => $"{message.Type} {message.Timestamp} {Convert.ToHexString(message.Body)}")];
}
