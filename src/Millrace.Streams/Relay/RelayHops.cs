using System.Buffers;
using Millrace.Protocols.Relay;

namespace Millrace.Streams.Relay;

/// <summary>A node on the way of a unit.</summary>
/// <param name="Node">Its id.</param>
/// <param name="ArrivedMicros">When the unit came there: Unix time of that node's clock, microseconds.</param>
/// <param name="OffsetMicros">What that node's clock is ahead of the authority's, as its links have measured it.</param>
internal readonly record struct RelayHop(string Node, long ArrivedMicros, long OffsetMicros);

/// <summary>The way of a unit from its authority to this node: <see cref="RelayMessageType.Clock"/>. Belongs to the holder of the stream's lock.</summary>
internal sealed class RelayHops
{
    private const int MaxNode = 64;

    private readonly List<RelayHop> _hops = [];
    private RelayHop[] _latest = [];

    /// <summary>The entry that comes next is one whose way is told.</summary>
    public bool HasUnit { get; private set; }

    /// <summary>What this node's clock is ahead of the authority's, microseconds.</summary>
    public long OffsetMicros { get; set; }

    /// <summary>The way of the newest unit of which it was told, this node last; empty at the authority. Any thread.</summary>
    public RelayHop[] Latest => Volatile.Read(ref _latest);

    /// <summary>Takes the payload of a message: the wall clock, and perhaps the way of the entry behind it.</summary>
    public bool TryTake(ReadOnlySpan<byte> payload, out long epoch)
    {
        var input = new RelayReader(payload);
        _hops.Clear();
        HasUnit = false;
        if (!input.TryFixed(out epoch) || !input.TryNumber(RelayStart.MaxPath, out int count))
            return false;
        for (var i = 0; i < count; i++)
        {
            if (!input.TryText(MaxNode, out var node) || !input.TryFixed(out var arrived) || !input.TrySigned(out var offset))
                return false;
            _hops.Add(new RelayHop(node, arrived, offset));
        }

        HasUnit = count > 0;
        return true;
    }

    /// <summary>The unit has come to this node, and been told to those below.</summary>
    /// <param name="node">This node.</param>
    /// <param name="arrived">Unix time, microseconds.</param>
    public void Arrive(string node, long arrived)
    {
        if (!HasUnit)
            return;
        HasUnit = false;
        Volatile.Write(ref _latest, [.. _hops, new RelayHop(node, arrived, OffsetMicros)]);
    }

    public void Write(IBufferWriter<byte> target, long epoch, bool hasHops, string node, long arrived)
    {
        var output = new RelayWriter(target);
        output.Fixed(epoch);
        output.Number(hasHops ? (ulong)_hops.Count + 1 : 0);
        if (!hasHops)
            return;
        foreach (var hop in _hops)
            Write(output, hop);
        Write(output, new RelayHop(node, arrived, OffsetMicros));
    }

    private static void Write(RelayWriter output, in RelayHop hop)
    {
        output.Text(hop.Node);
        output.Fixed(hop.ArrivedMicros);
        output.Signed(hop.OffsetMicros);
    }
}
