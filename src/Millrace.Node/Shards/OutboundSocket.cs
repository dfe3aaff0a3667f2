using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Millrace.Node.Shards;

/// <summary>Sockets by which this node connects to others.</summary>
internal static unsafe class OutboundSocket
{
    /// <summary>Begins to connect. Null, with the reason, when that has failed at once.</summary>
    public static ShardSocket? TryConnect(IPEndPoint remote, out string? error)
    {
        error = null;
        var family = remote.AddressFamily == AddressFamily.InterNetworkV6 ? Native.FamilyInet6 : Native.FamilyInet;
        var descriptor = Native.Socket(family, Native.SocketStream | Native.NonBlocking | Native.CloseOnExec, 0);
        if (descriptor < 0)
        {
            error = Marshal.GetPInvokeErrorMessage(Native.LastError);
            return null;
        }

        Native.SetOption(descriptor, Native.ProtocolTcp, Native.TcpNoDelay, 1);
        var address = remote.Serialize();
        fixed (byte* bytes = address.Buffer.Span)
        {
            if (Native.Connect(descriptor, bytes, address.Size) == 0 || Native.LastError == Native.EInProgress)
                return new ShardSocket(descriptor, remote, counts: null);
        }

        error = Marshal.GetPInvokeErrorMessage(Native.LastError);
        _ = Native.Close(descriptor);
        return null;
    }
}
