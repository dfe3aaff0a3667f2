using System.Net.Sockets;

namespace Millrace.Node.Tests.Shards;

/// <summary>Reads and drops what comes at many sockets.</summary>
internal sealed class Drain : IDisposable
{
    private readonly Thread _thread;
    private volatile bool _stops;

    public Drain(IReadOnlyList<Socket> sockets)
    {
        _thread = new Thread(() => Run(sockets)) { IsBackground = true };
        _thread.Start();
    }

    public void Dispose()
    {
        _stops = true;
        _thread.Join();
    }

    private void Run(IReadOnlyList<Socket> sockets)
    {
        var buffer = new byte[64 * 1024];
        while (!_stops)
        {
            var ready = sockets.ToList();
            Socket.Select(ready, null, null, TimeSpan.FromMilliseconds(20));
            foreach (var socket in ready)
                _ = socket.Receive(buffer, SocketFlags.None, out _);
        }
    }
}
