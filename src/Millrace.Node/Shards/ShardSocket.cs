using System.Net;

namespace Millrace.Node.Shards;

/// <summary>A non-blocking TCP socket and, where it was accepted, its place in the counts of the acceptor.</summary>
internal sealed class ShardSocket(int descriptor, IPEndPoint remote, ConnectionCounts? counts)
{
    private bool _isClosed;

    public int Descriptor { get; } = descriptor;

    public IPEndPoint Remote { get; } = remote;

    public void Close()
    {
        if (_isClosed)
            return;
        Leave();
        _ = Native.Close(Descriptor);
    }

    /// <summary>Gives the place in the counts back; the descriptor is somebody else's from here on.</summary>
    public void Leave()
    {
        if (_isClosed)
            return;
        _isClosed = true;
        counts?.Leave(Remote.Address);
    }
}
