using System.Net;
using System.Net.Sockets;

namespace Millrace.Node.Tests.Access;

/// <summary>Ports for listeners that come later, or again.</summary>
internal static class TestPorts
{
    public static int Free()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
