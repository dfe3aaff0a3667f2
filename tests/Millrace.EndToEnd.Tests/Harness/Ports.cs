using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Millrace.EndToEnd.Harness;

/// <summary>Loopback TCP ports.</summary>
internal static class Ports
{
    /// <summary>A port that was free a moment ago.</summary>
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static async Task<bool> IsOpenAsync(int port)
    {
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Waits for a listener without connecting, as one that takes a single connection needs it.</summary>
    public static Task ListeningAsync(int port, TimeSpan deadline) => Wait.UntilAsync(
        () => Task.FromResult(IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port)),
        deadline,
        () => $"nothing listens on port {port}");

    /// <summary>Waits until a server has so many connections on its port.</summary>
    public static Task ConnectedAsync(int port, int connections, TimeSpan deadline) => Wait.UntilAsync(
        () => Task.FromResult(IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
            .Count(connection => connection.LocalEndPoint.Port == port && connection.State == TcpState.Established) >= connections),
        deadline,
        () => $"port {port} has fewer than {connections} connections");
}
