using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Streams.Publishing;
using Millrace.Testing;

namespace Millrace.Streams.Tests;

/// <summary>Publishes the clip as an RTMP session would, over and over, with its time shifted.</summary>
internal sealed class ClipPublisher
{
    private readonly TestStream _stream;
    private readonly FlvIntake _intake;

    public ClipPublisher(TestStream stream)
    {
        _stream = stream;
        Lease = stream.TryPublish(DuplicatePolicy.Reject, out _)!;
        _intake = new FlvIntake(Lease);
    }

    public PublisherLease Lease { get; }

    /// <summary>Added to the clip's timestamps, microseconds.</summary>
    public long Shift { get; set; }

    public void Send(int from = 0, int to = int.MaxValue, Action? onTag = null)
    {
        var start = _stream.Now - (MediaClip.Tags[from].TimestampMs * 1_000L);
        for (var i = from; i < Math.Min(to, MediaClip.Tags.Count); i++)
        {
            var tag = MediaClip.Tags[i];
            var sender = (tag.TimestampMs * 1_000L) + Shift;
            _stream.Now = start + (tag.TimestampMs * 1_000L);
            var error = tag.Type switch
            {
                FlvTagType.Audio => _intake.Receive(TrackKind.Audio, tag.Body, sender, _stream.Now),
                FlvTagType.Video => _intake.Receive(TrackKind.Video, tag.Body, sender, _stream.Now),
                _ => _intake.ReceiveData(tag.Body, sender, _stream.Now),
            };
            error.ShouldBeNull();
            onTag?.Invoke();
        }
    }
}
