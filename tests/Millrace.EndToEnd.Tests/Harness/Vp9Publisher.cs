using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Millrace.Media.Codecs;
using Millrace.Media.Flv;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Harness;

/// <summary>
/// Publishes the clock in VP9 by Enhanced RTMP, which the distribution's ffmpeg cannot: it encodes to IVF, and each frame goes on
/// as a message with the FourCC vp09 (Enhanced RTMP v2, "Enhanced Video").
/// </summary>
internal sealed class Vp9Publisher : IAsyncDisposable
{
    private const int FileHeaderLength = 32;
    private const int FrameHeaderLength = 12;

    /// <summary>ExVideoTagHeader: its flag, the frame type 1 (key) or 2 in the upper half, the packet type in the lower.</summary>
    private const byte KeySequenceStart = 0x90, KeyCodedFrames = 0x91, InterCodedFrames = 0xA1;

    /// <summary>VPCodecConfigurationRecord, with an MP4 box's version and flags: profile 0, level 2.1, 8 bits 4:2:0, colours unspecified.</summary>
    private static readonly byte[] Vpcc = [1, 0, 0, 0, 0, 21, 0x82, 2, 2, 2, 0, 0];

    private readonly ChildProcess _encoder = OtherEncoders.Vp9();
    private readonly RtmpPeer _peer;
    private readonly Task _publishing;

    public Vp9Publisher(int rtmpPort, string app, string name)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, rtmpPort);
        _peer = new RtmpPeer(socket, $"rtmp://127.0.0.1:{rtmpPort}/{app}", app, name, isPublisher: true, isEnhanced: true);
        _publishing = PublishAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _encoder.DisposeAsync();
        await _publishing;
        _peer.Dispose();
    }

    private async Task PublishAsync()
    {
        await Wait.UntilAsync(() => Task.FromResult(_peer.IsReady), TimeSpan.FromSeconds(10), () => "the server accepts no publisher");
        _peer.SendMedia(FlvTagType.Video, 0, Message(KeySequenceStart, Vpcc));
        var header = new byte[FileHeaderLength];
        await _encoder.Output.ReadExactlyAsync(header);
        var (rate, scale) = (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(16)), BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(20)));
        var frameHeader = new byte[FrameHeaderLength];
        while (await _encoder.Output.ReadAtLeastAsync(frameHeader, FrameHeaderLength, throwOnEndOfStream: false) == FrameHeaderLength)
        {
            var frame = new byte[BinaryPrimitives.ReadUInt32LittleEndian(frameHeader)];
            if (await _encoder.Output.ReadAtLeastAsync(frame, frame.Length, throwOnEndOfStream: false) < frame.Length)
                return;
            var millis = BinaryPrimitives.ReadUInt64LittleEndian(frameHeader.AsSpan(4)) * 1000 * scale / rate;
            _peer.SendMedia(FlvTagType.Video, (uint)millis, Message(Vp9.IsKey(frame) ? KeyCodedFrames : InterCodedFrames, frame));
        }
    }

    private static byte[] Message(byte header, ReadOnlySpan<byte> body) => [header, .. "vp09"u8, .. body];
}
