using System.Buffers.Binary;
using System.Diagnostics;
using Millrace.Media.Flv;

namespace Millrace.Node.Tests.Harness;

/// <summary>Publishes made-up frames behind the clip's real sequence headers: every 60th of the video a key frame, audio between.</summary>
internal sealed class SyntheticFrames(RtmpPeer publisher)
{
    /// <summary>Frames at once; then the clock has to move on, for their timestamps are the clock's.</summary>
    private const int FramesPerMillisecond = 4;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _count;
    private long _lastMillis = -1;

    /// <summary>Bytes of all bodies sent so far: less than any viewer gets who was there before.</summary>
    public long SentBytes { get; private set; }

    public void SendHeaders()
    {
        foreach (var tag in TestClip.Start)
            publisher.SendMedia(tag.Type, 0, tag.Body);
    }

    /// <param name="frames">How many.</param>
    /// <param name="size">Bytes of a picture that is no key frame.</param>
    /// <param name="isPaced">False: as fast as they go, whatever the clock says.</param>
    public void Send(int frames, int size = 900, bool isPaced = true)
    {
        var key = Video(isKey: true, size * 4);
        var inter = Video(isKey: false, size);
        var audio = new byte[200];
        (audio[0], audio[1]) = (0xAF, 1);
        for (var i = 0; i < frames; i++, _count++)
        {
            if (_lastMillis < 0 || (isPaced && _count % FramesPerMillisecond == 0))
                WaitForNextMillisecond();
            var isAudio = _count % 2 == 1;
            var body = isAudio ? audio : _count % 120 == 0 ? key : inter;
            publisher.SendMedia(isAudio ? FlvTagType.Audio : FlvTagType.Video, (uint)_lastMillis, body);
            SentBytes += body.Length;
        }
    }

    private static byte[] Video(bool isKey, int size)
    {
        const int HeaderBytes = 5;
        const int LengthBytes = 4;
        const byte IdrSlice = 0x65;
        const byte Slice = 0x41;
        var body = new byte[HeaderBytes + LengthBytes + size];
        (body[0], body[1]) = (isKey ? (byte)0x17 : (byte)0x27, 1);
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(HeaderBytes), size);
        body[HeaderBytes + LengthBytes] = isKey ? IdrSlice : Slice;
        body.AsSpan(HeaderBytes + LengthBytes + 1).Fill(0x9A);
        return body;
    }

    private void WaitForNextMillisecond()
    {
        while (_clock.ElapsedMilliseconds <= _lastMillis)
            Thread.Yield();
        _lastMillis = _clock.ElapsedMilliseconds;
    }
}
