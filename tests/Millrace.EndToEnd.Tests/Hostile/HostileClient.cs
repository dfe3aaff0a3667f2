using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hostile;

/// <summary>A raw connection from an address of its own in 127.0.0.0/8, by which its log lines are found.</summary>
internal sealed class HostileClient : IDisposable
{
    private static int _lastAddress;

    private readonly Socket _socket;

    private HostileClient(Socket socket) => (_socket, EndPoint) = (socket, (IPEndPoint)socket.LocalEndPoint!);

    public IPEndPoint EndPoint { get; }

    /// <param name="port">The server's.</param>
    /// <param name="address">Where to come from; null for an address that nobody else uses.</param>
    /// <param name="receiveBuffer">Bytes that the kernel may keep for us; 0 for its own choice.</param>
    public static async Task<HostileClient> ConnectAsync(int port, IPAddress? address = null, int receiveBuffer = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (receiveBuffer > 0)
                socket.ReceiveBufferSize = receiveBuffer;
            socket.Bind(new IPEndPoint(address ?? NextAddress(), 0));
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), TestContext.Current.CancellationToken);
            return new HostileClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends all of it, unless the server ends the connection before.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
                bytes = bytes[await _socket.SendAsync(bytes, TestContext.Current.CancellationToken)..];
        }
        catch (SocketException)
        {
            // What the tests ask is why the server ended it: its log says.
        }
    }

    /// <summary>Sends until the server takes no more for a while: to a peer that never reads.</summary>
    public async Task SendForeverAsync(ReadOnlyMemory<byte> bytes, TimeSpan limit)
    {
        using var expiry = new CancellationTokenSource(limit);
        try
        {
            while (true)
                await _socket.SendAsync(bytes, expiry.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Closed by the server, or blocked.
        }
    }

    /// <summary>Bytes that have come and were not read.</summary>
    public int Available => _socket.Available;

    public void CloseHalf() => _socket.Shutdown(SocketShutdown.Send);

    public async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        var read = 0;
        while (read < count)
        {
            var more = await _socket.ReceiveAsync(bytes.AsMemory(read), TestContext.Current.CancellationToken);
            if (more == 0)
                break;
            read += more;
        }

        return bytes[..read];
    }

    /// <summary>What has come, or the next that comes; empty at the end.</summary>
    public async Task<ReadOnlyMemory<byte>> ReceiveAsync()
    {
        var buffer = new byte[64 << 10];
        return buffer.AsMemory(0, await _socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken));
    }

    /// <summary>The server's closing lines of this connection.</summary>
    public List<string> ClosingLines(MillraceServer server)
    {
        var from = string.Create(CultureInfo.InvariantCulture, $" from {EndPoint},");
        return server.Process.Lines().Where(line => line.Contains(" closed: ", StringComparison.Ordinal) && line.Contains(from, StringComparison.Ordinal)).ToList();
    }

    /// <summary>Waits for the one line that says why the server ended this connection.</summary>
    public async Task EndsAsync(MillraceServer server, string reason, string what)
    {
        await Wait.UntilAsync(
            () => Task.FromResult(ClosingLines(server).Count > 0), TimeSpan.FromSeconds(10), () => $"{what}: not closed\n{server.Process.Tail()}");
        var line = ClosingLines(server).ShouldHaveSingleItem(what);
        line.ShouldContain("closed: " + reason, Case.Sensitive, what);
    }

    public void Dispose() => _socket.Dispose();

    private static IPAddress NextAddress()
    {
        var number = Interlocked.Increment(ref _lastAddress);
        return new IPAddress([127, 77, (byte)(number >> 8), (byte)number]);
    }
}
