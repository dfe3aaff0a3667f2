using System.Net;
using System.Net.Sockets;

namespace Millrace.Node.Tests.Harness;

/// <summary>Ports for listeners, those that come later, or again, too: where one has gone, nobody else's listens.</summary>
internal static class TestPorts
{
    /// <summary>Below those that the kernel gives to outgoing connections: one of them may take a port before a server does.</summary>
    private const int First = 10_000, Count = 22_000;

    private static int _next = Random.Shared.Next(Count);

    /// <summary>A port that was free a moment ago, and is given to nobody else before all others have been.</summary>
    public static int Free()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _next) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's.
            }
        }
    }
}
