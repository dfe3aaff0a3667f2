using System.Diagnostics;
using Millrace.Bench.Latency;
using Millrace.Bench.Media;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Crowds;

/// <summary>Delivery times of the pictures that were sent inside the window.</summary>
internal sealed class PictureTimes
{
    private readonly List<double> _milliseconds = [];
    private long _from = long.MaxValue;
    private long _to;

    public void Open(double seconds)
    {
        _milliseconds.Clear();
        _from = Stopwatch.GetTimestamp();
        _to = _from + (long)(seconds * Stopwatch.Frequency);
    }

    public Times Close()
    {
        _from = long.MaxValue;
        return Times.Of(_milliseconds);
    }

    public void Add(long sent, long now)
    {
        if (sent >= _from && sent < _to) _milliseconds.Add((now - sent) * 1000.0 / Stopwatch.Frequency);
    }
}

/// <summary>Looks at one viewer's pictures: times them, and checks that what is missing is missing up to a key frame.</summary>
internal sealed class PictureCheck(PictureTimes? times)
{
    private const int LargestStepMs = 60; // of 30 pictures a second
    private uint? _last;

    /// <summary>Places where pictures are missing.</summary>
    public int Jumps { get; private set; }

    /// <summary>Stopwatch ticks when the first media message was there (a configuration or a frame), and the first key frame; 0 before.</summary>
    public long FirstMedia { get; private set; }
    public long FirstKey { get; private set; }

    /// <exception cref="InvalidDataException">Time went back, or pictures follow that nobody can decode.</exception>
    public void OnMedia(MediaMessage message)
    {
        long now = Stopwatch.GetTimestamp();
        if (FirstMedia == 0) FirstMedia = now;
        if (message.Type != MediaMessage.Video) return;
        var body = TagBody.Parse(message.Type, message.Payload.Span);
        if (body.Coded.IsEmpty) return;
        if (!StampedClip.TryReadStamp(message.Payload.Span, out long sent)) throw new InvalidDataException("a picture came without its send time");
        if (FirstKey == 0 && body.IsKey) FirstKey = now;
        CheckStep(message.Timestamp, body.IsKey);
        times?.Add(sent, now);
    }

    private void CheckStep(uint timestamp, bool isKey)
    {
        int step = _last is { } last ? (int)(timestamp - last) : 0;
        _last = timestamp;
        if (step < 0) throw new InvalidDataException($"time went back by {-step} ms");
        if (step <= LargestStepMs) return;
        Jumps++;
        if (!isKey) throw new InvalidDataException($"{step} ms are missing before a picture that is no key frame");
    }
}
