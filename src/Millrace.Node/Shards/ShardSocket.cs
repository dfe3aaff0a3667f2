using System.Net;

namespace Millrace.Node.Shards;

/// <summary>A non-blocking socket and, where it was accepted, its place in the counts of the acceptor.</summary>
internal sealed class ShardSocket(int descriptor, IPEndPoint remote, ConnectionCounts? counts)
{
    private const int OfClient = 0;
    private const int OfLink = 1;
    private const int Left = 2;

    private int _place = OfClient;
    private volatile string? _fault;

    public int Descriptor { get; } = descriptor;

    public IPEndPoint Remote { get; } = remote;

    /// <summary>It is the end of a tunnel: its bytes go on over TLS.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>What a tunnel has ended of; null where that is to be seen of the socket. Any thread.</summary>
    public string? Fault
    {
        get => _fault;
        set => _fault = value;
    }

    /// <summary>Of a tunnel: what it goes by, where that was accepted.</summary>
    public ShardSocket? Outer { get; init; }

    /// <summary>Called when the descriptor has been closed.</summary>
    public Action? Closed { get; init; }

    public void Close()
    {
        if (!TryLeave())
            return;
        _ = Native.Close(Descriptor);
        Closed?.Invoke();
    }

    /// <summary>Gives the place in the counts back; the descriptor is somebody else's from here on.</summary>
    public void Leave() => TryLeave();

    /// <summary>It comes from another node of this cluster, which has proved it. Any thread.</summary>
    public void BecomeLink()
    {
        Outer?.BecomeLink();
        if (Interlocked.CompareExchange(ref _place, OfLink, OfClient) == OfClient)
            counts?.BecomeLink(Remote.Address);
    }

    private bool TryLeave()
    {
        var place = Interlocked.Exchange(ref _place, Left);
        if (place == Left)
            return false;
        counts?.Leave(Remote.Address, place == OfLink);
        return true;
    }
}
