using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Media;

/// <summary>Checks one viewer's stream frame by frame: time, configuration first, and each frame's bytes against the clip.</summary>
internal sealed class StreamVerifier(ClipIndex? clip)
{
    private const int MaxForwardMs = 1000;
    private readonly Track _audio = new(clip?.Audio);
    private readonly Track _video = new(clip?.Video);

    public VerifyResult Result => new(
        _video.Frames, _audio.Frames, _video.Keys, _video.Gaps + _audio.Gaps, _video.Foreign + _audio.Foreign,
        _video.TimeErrors + _audio.TimeErrors, _video.Unconfigured + _audio.Unconfigured,
        clip?.HasPictures ?? true);

    public void OnMedia(MediaMessage message) => (message.Type == MediaMessage.Video ? _video : _audio).On(message);

    private sealed class Track(ClipIndex.Sequence? sequence)
    {
        private uint? _last;
        private int _expected = -1;
        private bool _configured;

        public int Frames { get; private set; }
        public int Keys { get; private set; }
        public int Gaps { get; private set; }
        public int Foreign { get; private set; }
        public int TimeErrors { get; private set; }
        public int Unconfigured { get; private set; }

        public void On(MediaMessage message)
        {
            var body = TagBody.Parse(message.Type, message.Payload.Span);
            _configured |= body.IsConfig;
            if (body.Coded.IsEmpty) return;
            Frames++;
            if (body.IsKey) Keys++;
            if (!_configured) Unconfigured++;

            int step = _last is { } last ? (int)(message.Timestamp - last) : 0;
            _last = message.Timestamp;
            int before = _expected;
            CheckBytes(body.Coded);
            bool skipped = before >= 0 && _expected != (before + 1) % Math.Max(1, sequence?.Count ?? 1);
            if (step < 0 || (step > MaxForwardMs && !skipped)) TimeErrors++;
        }

        private void CheckBytes(ReadOnlySpan<byte> coded)
        {
            if (sequence is null) return;
            int place = sequence.Find(ClipIndex.Checksum(coded), _expected);
            if (place < 0)
            {
                Foreign++;
                return;
            }

            if (_expected >= 0 && place != _expected) Gaps++;
            _expected = (place + 1) % sequence.Count;
        }
    }
}

/// <summary>
/// What a checking viewer saw. <c>Gaps</c>: places where frames are missing; <c>Foreign</c>: frames whose bytes are not the clip's;
/// <c>TimeErrors</c>: timestamps that go back or leap more than 1 s; <c>Unconfigured</c>: frames before the decoder configuration.
/// </summary>
internal sealed record VerifyResult(int VideoFrames, int AudioFrames, int KeyFrames, int Gaps, int Foreign, int TimeErrors, int Unconfigured, bool HasPictures)
{
    public bool Ok => (KeyFrames > 0 || !HasPictures) && AudioFrames > 0 && Foreign == 0 && TimeErrors == 0 && Unconfigured == 0;
}
