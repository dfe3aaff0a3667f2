using System.Net;
using System.Net.Sockets;
using System.Text;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Api;

/// <summary>Asks for live/x by HTTP-FLV, and takes nothing of it until it is told to. Its socket has next to no room, nor has the node's for it.</summary>
internal sealed class StalledViewer : IDisposable
{
    private const int MaxSegmentOption = 2;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 2_048 };
    private readonly MemoryStream _taken = new();

    public StalledViewer(int port)
    {
        // The kernel gives a connection room to send by the size of its segments, which are 64 KB on the loopback device.
        _socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, MaxSegmentOption, BitConverter.GetBytes(536));
        _socket.Connect(IPAddress.Loopback, port);
        // HTTP/1.0: a body that no chunks are made of.
        _socket.Send(Encoding.ASCII.GetBytes("GET /live/x.flv HTTP/1.0\r\n\r\n"));
    }

    /// <summary>The numbers of the pictures that it has taken, in order.</summary>
    public List<int> Numbers
    {
        get
        {
            lock (_taken)
                return NumberedSource.NumbersIn(_taken.GetBuffer().AsSpan(0, (int)_taken.Length));
        }
    }

    /// <summary>From now on it takes all that there is.</summary>
    public void GoOn()
    {
        _socket.ReceiveBufferSize = 1 << 20;
        new Thread(Read) { IsBackground = true }.Start();
    }

    public void Dispose() => _socket.Dispose();

    private void Read()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (_socket.Receive(buffer) is > 0 and var received)
            {
                lock (_taken)
                    _taken.Write(buffer.AsSpan(0, received));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
