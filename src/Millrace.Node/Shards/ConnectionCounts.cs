using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Node.Shards;

/// <summary>
/// Open connections, in all and by address (IPv6: by /64, which one subscriber has), against <c>limits.connections</c> and
/// <c>limits.connections_per_ip</c>. Addresses without a connection are forgotten.
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

            var key = KeyOf(address);
            _byAddress.TryGetValue(key, out var count);
            if (limitPerAddress > 0 && count >= limitPerAddress)
            {
                Refused++;
                return "limits.connections_per_ip is reached";
            }

            _byAddress[key] = count + 1;
            Total++;
            Entered++;
            return null;
        }
    }

    public void Leave(IPAddress address)
    {
        lock (_gate)
        {
            var key = KeyOf(address);
            if (!_byAddress.TryGetValue(key, out var count))
                return;
            if (count == 1)
                _byAddress.Remove(key);
            else
                _byAddress[key] = count - 1;
            Total--;
        }
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
