using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Millrace.EndToEnd.Harness;
using Millrace.Media.Flv;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Viewers that begin at once: an ffmpeg takes as long to start as the media that the tests wait for.</summary>
internal static class Viewers
{
    /// <summary>Plays APP/NAME by RTMP.</summary>
    public static async Task<RtmpPeer> RtmpAsync(MillraceServer server, string name, string app = "live")
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.RtmpPort, TestContext.Current.CancellationToken);
        return new RtmpPeer(socket, $"rtmp://127.0.0.1:{server.RtmpPort}/{app}", app, name, isPublisher: false, isEnhanced: false);
    }

    /// <summary>Waits for media.</summary>
    public static Task HasMediaAsync(this RtmpPeer viewer, int count, TimeSpan deadline) =>
        Wait.UntilAsync(() => Task.FromResult(viewer.MediaCount >= count), deadline, () => $"{viewer.MediaCount} messages of {count}");

    /// <summary>Those of pictures, and those of sound, which may be interleaved otherwise than by time. Metadata has none: it is 0 wherever it stands.</summary>
    public static void ShouldHaveMonotonicTimes(this RtmpPeer viewer)
    {
        foreach (var kind in viewer.Media.Where(static tag => tag.Type != FlvTagType.Script).GroupBy(static tag => tag.Type, static tag => tag.Time))
            kind.ToList().ShouldBeInOrder(SortDirection.Ascending, kind.Key.ToString());
    }

    /// <inheritdoc cref="ShouldHaveMonotonicTimes(RtmpPeer)"/>
    public static void ShouldHaveMonotonicTimes(this FlvViewer viewer)
    {
        foreach (var kind in viewer.Times.GroupBy(static tag => tag.Type, static tag => tag.Time))
            kind.ToList().ShouldBeInOrder(SortDirection.Ascending, kind.Key.ToString());
    }

    /// <summary>Plays FLV over a WebSocket and returns with its first bytes.</summary>
    public static async Task<ClientWebSocket> WebSocketAsync(MillraceServer server, string name)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.HttpPort}/live/{name}.flv"), TestContext.Current.CancellationToken);
        var received = await socket.ReceiveAsync(new byte[64 << 10], TestContext.Current.CancellationToken);
        received.Count.ShouldBeGreaterThan(0);
        return socket;
    }
}

/// <summary>Plays HTTP-FLV and counts what comes, or keeps it.</summary>
internal sealed class FlvViewer : IDisposable
{
    private static readonly HttpClient Http = new() { Timeout = Timeout.InfiniteTimeSpan };

    private readonly HttpResponseMessage _response;
    private readonly MemoryStream? _kept;
    private long _bytes;

    private FlvViewer(HttpResponseMessage response, bool keeps)
    {
        _response = response;
        _kept = keeps ? new MemoryStream() : null;
        _ = ReadAsync();
    }

    public long Bytes => Volatile.Read(ref _bytes);

    public bool HasEnded { get; private set; }

    /// <summary>The numbers of the pictures that have come, in order, where they are kept.</summary>
    public List<int> Numbers
    {
        get
        {
            lock (_kept!)
                return NumberedSource.NumbersIn(_kept.GetBuffer().AsSpan(0, (int)_kept.Length));
        }
    }

    /// <summary>Those of the tags of media that have come, in order, where they are kept.</summary>
    public List<(FlvTagType Type, long Time)> Times
    {
        get
        {
            lock (_kept!)
            {
                var (times, reader) = (new List<(FlvTagType, long)>(), new FlvTagReader());
                for (var at = 0; reader.TryRead(_kept.GetBuffer().AsSpan(at, (int)_kept.Length - at), out var consumed, out var tag); at += consumed)
                {
                    if (tag.Type != FlvTagType.Script)
                        times.Add((tag.Type, tag.TimestampMs));
                }

                reader.Error.ShouldBeNull();
                return times;
            }
        }
    }

    public static async Task<FlvViewer> PlayAsync(MillraceServer server, string name, string app = "live", bool keeps = false)
    {
        var response = await Http.GetAsync(server.Http($"{app}/{name}.flv"), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return new FlvViewer(response, keeps);
    }

    public Task HasBytesAsync(long count, TimeSpan deadline) =>
        Wait.UntilAsync(() => Task.FromResult(Bytes >= count), deadline, () => $"{Bytes} bytes of {count}");

    public void Dispose() => _response.Dispose();

    private async Task ReadAsync()
    {
        try
        {
            await using var stream = await _response.Content.ReadAsStreamAsync();
            var buffer = new byte[64 << 10];
            while (await stream.ReadAsync(buffer) is > 0 and var read)
            {
                Keep(buffer.AsSpan(0, read));
                Interlocked.Add(ref _bytes, read);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or HttpRequestException)
        {
            // Reset, or left.
        }

        HasEnded = true;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_kept is null)
            return;
        lock (_kept)
            _kept.Write(bytes);
    }
}
