using System.Net.NetworkInformation;
using System.Net.Sockets;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Harness;

/// <summary>Loopback TCP ports.</summary>
internal static class Ports
{
    /// <inheritdoc cref="TestPorts.Free"/>
    public static int Free() => TestPorts.Free();

    public static async Task<bool> IsOpenAsync(int port, string address = "127.0.0.1")
    {
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(address, port);
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

    /// <summary>Waits until a server has so many connections on its port and has read all that was sent to it.</summary>
    public static Task ReadAsync(int port, int connections, TimeSpan deadline)
    {
        var queues = new List<string>();
        return Wait.UntilAsync(
            () =>
            {
                // Linux: "sl local rem st tx_queue:rx_queue …", numbers in hexadecimal; 01 is ESTABLISHED.
                queues = [.. File.ReadLines("/proc/net/tcp").Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    .Where(fields => fields[1].EndsWith($":{port:X4}", StringComparison.Ordinal) && fields[3] == "01").Select(fields => fields[4].Split(':')[1])];
                return Task.FromResult(queues.Count >= connections && queues.TrueForAll(queue => queue == "00000000"));
            },
            deadline,
            () => $"port {port}: {queues.Count} connections of {connections}, {queues.Count(queue => queue != "00000000")} with unread bytes");
    }
}
