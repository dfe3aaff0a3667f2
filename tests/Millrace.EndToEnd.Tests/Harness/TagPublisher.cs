using System.Diagnostics;
using System.Net.Sockets;
using Millrace.Protocols.Rtmp;
using Millrace.Protocols.Tests.Rtmp;

namespace Millrace.EndToEnd.Harness;

/// <summary>The body of an RTMP audio or video message, and when it is due.</summary>
internal sealed record MediaTag(bool IsVideo, uint Millis, byte[] Body);

/// <summary>
/// Publishes messages that ffmpeg of Debian 12 cannot write, or of which the test wants to know when they are sent. It takes
/// for granted that the server agrees, and reads its answers only to be rid of them.
/// </summary>
internal sealed class TagPublisher : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly RtmpBytes _bytes = new();

    private TagPublisher()
    {
    }

    /// <summary>Connects and asks for a name in the app `live`.</summary>
    public static async Task<TagPublisher> ConnectAsync(MillraceServer server, string name)
    {
        var publisher = new TagPublisher();
        await publisher._socket.ConnectAsync("127.0.0.1", server.RtmpPort, TestContext.Current.CancellationToken);
        publisher._bytes.Handshake().Connect().Publish(name);
        await publisher.FlushAsync();
        _ = publisher.DrainAsync();
        return publisher;
    }

    public Task SendAsync(MediaTag tag)
    {
        _bytes.Media(tag.IsVideo ? RtmpMessageType.Video : RtmpMessageType.Audio, tag.Millis, tag.Body);
        return FlushAsync();
    }

    /// <summary>Sends each message when it is due, and ends the publication behind the last.</summary>
    public async Task PlayAsync(IEnumerable<MediaTag> tags)
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var tag in tags)
        {
            var early = TimeSpan.FromMilliseconds(tag.Millis) - Stopwatch.GetElapsedTime(started);
            if (early > TimeSpan.Zero)
                await Task.Delay(early, TestContext.Current.CancellationToken);
            await SendAsync(tag);
        }

        _bytes.Call("deleteStream", 0, 0, 1.0);
        await FlushAsync();
    }

    public void Dispose() => _socket.Dispose();

    private async Task FlushAsync()
    {
        ReadOnlyMemory<byte> rest = _bytes.ToArray();
        _bytes.Output.ResetWrittenCount();
        while (!rest.IsEmpty)
            rest = rest[await _socket.SendAsync(rest, TestContext.Current.CancellationToken)..];
    }

    private async Task DrainAsync()
    {
        var buffer = new byte[4_096];
        try
        {
            while (await _socket.ReceiveAsync(buffer) > 0)
            {
                // Nothing is done with it.
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }
}
