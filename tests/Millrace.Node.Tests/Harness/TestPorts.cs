using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Node.Tests.Harness;

/// <summary>Ports for listeners that come later, or again.</summary>
internal static class TestPorts
{
    /// <summary>Below those that the kernel gives to outgoing connections: one of them may take a port before a server does.</summary>
    private const int First = 20_000, AfterLast = 32_000;

    private static readonly ConcurrentDictionary<int, bool> Given = new();

    /// <summary>A port that was free a moment ago, and is given to nobody else.</summary>
    public static int Free()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, AfterLast);
            if (!Given.TryAdd(port, true))
                continue;
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
