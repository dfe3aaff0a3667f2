using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Node.Shards;

/// <summary>
/// Open connections, in all and by address (IPv6: by /64, which one subscriber has), against <c>limits.connections</c> and
/// <c>limits.connections_per_ip</c>. Addresses without a connection are forgotten. Links of nodes that have proved what they are count in all alone: an edge has
/// one for each stream.
/// </summary>
internal sealed class ConnectionCounts(int limit, int limitPerAddress)
{
    private readonly Dictionary<ulong, int> _byAddress = [];
    private readonly Lock _gate = new();

    public int Total { get; private set; }

    public long Refused { get; private set; }

    /// <summary>Connections that ever had a place.</summary>
    public long Entered { get; private set; }

    /// <summary>Takes a place, or says why there is none.</summary>
    public string? TryEnter(IPAddress address)
    {
        lock (_gate)
        {
            if (limit > 0 && Total >= limit)
            {
                Refused++;
                return "limits.connections is reached";
            }

            if (!TryCount(KeyOf(address)))
            {
                Refused++;
                return "limits.connections_per_ip is reached";
            }

            Total++;
            Entered++;
            return null;
        }
    }

    /// <summary>A connection that has a place is no client's: its address has it back.</summary>
    public void BecomeLink(IPAddress address)
    {
        lock (_gate)
            TryUncount(KeyOf(address));
    }

    public void Leave(IPAddress address, bool isLink = false)
    {
        lock (_gate)
        {
            if (isLink || TryUncount(KeyOf(address)))
                Total--;
        }
    }

    private bool TryCount(ulong key)
    {
        _byAddress.TryGetValue(key, out var count);
        if (limitPerAddress > 0 && count >= limitPerAddress)
            return false;
        _byAddress[key] = count + 1;
        return true;
    }

    private bool TryUncount(ulong key)
    {
        if (!_byAddress.TryGetValue(key, out var count))
            return false;
        if (count == 1)
            _byAddress.Remove(key);
        else
            _byAddress[key] = count - 1;
        return true;
    }

    private static ulong KeyOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : BinaryPrimitives.ReadUInt64BigEndian(bytes) | (1UL << 63);
    }
}
