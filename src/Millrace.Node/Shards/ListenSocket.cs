using System.Net;
using System.Net.Sockets;
using Millrace.Node.Settings;

namespace Millrace.Node.Shards;

/// <summary>Sockets that listen; a <see cref="ListenException"/> names the setting of an address that cannot be had.</summary>
internal static class ListenSocket
{
    /// <summary>Connections that wait to be accepted; the kernel takes fewer where net.core.somaxconn says so.</summary>
    public const int Backlog = 4_096;

    /// <summary>From here on the kernel takes connections.</summary>
    public static Socket Open(ListenEndpoint endpoint, string setting) => Bind(endpoint, setting, static socket =>
    {
        socket.Listen(Backlog);
        socket.Blocking = false;
    });

    /// <summary>Whether the address can be had, without taking a connection.</summary>
    public static void Probe(ListenEndpoint endpoint, string setting) => Bind(endpoint, setting, static _ => { }).Dispose();

    private static Socket Bind(ListenEndpoint endpoint, string setting, Action<Socket> then)
    {
        var isAny = endpoint.Address is null;
        var isDual = isAny && Socket.OSSupportsIPv6;
        var address = endpoint.Address ?? (isDual ? IPAddress.IPv6Any : IPAddress.Any);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (isDual)
                socket.DualMode = true;
            // So that a restart does not wait for TIME_WAIT. No SO_REUSEPORT: a second node must fail here.
            Native.SetOption((int)socket.Handle, Native.SolSocket, Native.SoReuseAddress, 1);
            socket.Bind(new IPEndPoint(address, endpoint.Port));
            then(socket);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ListenException($"{setting}: cannot listen on {endpoint}: {Describe(e)}", e);
        }
    }

    private static string Describe(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "the port is taken by another process",
        SocketError.AccessDenied => "not allowed (ports below 1024 need privileges)",
        SocketError.AddressNotAvailable => "this machine does not have the address",
        _ => e.Message,
    };
}

/// <summary>An address could not be listened on; the message names the setting.</summary>
internal sealed class ListenException(string message, Exception inner) : Exception(message, inner);
