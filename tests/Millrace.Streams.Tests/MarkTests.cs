using Millrace.Streams.Log;

namespace Millrace.Streams.Tests;

/// <summary>Marks are in the log for packagers of segments; a packager of messages passes over them.</summary>
public sealed class MarkTests
{
    [Fact]
    public void Marks_lie_between_the_units_in_the_order_they_were_appended()
    {
        var stream = new TestStream(TestStream.KeepAll);
        var publisher = stream.Publish(audio: false);
        publisher.Lease.Promise(video: true, audio: false);
        var appended = new List<Mark>();
        publisher.Run(60, audio: false, onFrame: () => appended.AddRange(AppendMarks(stream, publisher)));

        var entries = stream.Entries;
        var marks = entries.FindAll(entry => entry.Kind == LogEntryKind.Mark);
        marks.ConvertAll(entry => entry.Mark).ShouldBe(appended);
        marks.ShouldAllBe(entry => entry.EraNumber == stream.Era.Number && entry.Length == 0);

        // Two after each unit, with that unit's time.
        var kinds = entries.SkipWhile(entry => entry.Kind != LogEntryKind.Unit).ToList();
        kinds.Count.ShouldBe(180);
        kinds.Chunk(3).ShouldAllBe(group => group.Select(entry => entry.Kind).SequenceEqual(new[] { LogEntryKind.Unit, LogEntryKind.Mark, LogEntryKind.Mark }));
        kinds.Chunk(3).ShouldAllBe(group => group.All(entry => entry.DtsMicros == group[0].DtsMicros));
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
                var stream = new TestStream();
                using var viewer = new WireViewer(stream, key);
                var publisher = stream.Publish();
                publisher.Lease.Promise(video: true, audio: true);
                publisher.Run(60, onFrame: () => _ = hasMarks ? AppendMarks(stream, publisher) : []);
                viewer.Pull();

                // Nobody has read this form so far: it is written from the log, across the Marks in it.
                using var joiner = new WireViewer(stream, key with { Tracks = Wire.WireTracks.VideoOnly });
                joiner.Pull();
                return (Media(viewer), Media(joiner));
            }
        }
    }

    private static Mark[] AppendMarks(TestStream stream, TestPublisher publisher)
    {
        Mark[] marks =
        [
            new(MarkKind.PartEnd, MarkSeries.LowLatency, publisher.Count),
            new(MarkKind.Segment, MarkSeries.TransportStream, publisher.Count / publisher.Group),
        ];
        lock (stream.Live.Gate)
        {
            foreach (var mark in marks)
                stream.Live.AppendMark(mark, stream.Entries[^1].DtsMicros);
        }

        return marks;
    }

    /// <summary>Sound and pictures; the data messages name the Timeline, which has another number in each stream.</summary>
    private static List<string> Media(WireViewer viewer) =>
        [.. viewer.Messages().Where(message => message.Type != 18).Select(message => $"{message.Type} {message.Timestamp} {Convert.ToHexString(message.Body)}")];
}
