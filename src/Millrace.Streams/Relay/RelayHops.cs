using System.Buffers;
using Millrace.Protocols.Relay;

namespace Millrace.Streams.Relay;

/// <summary>A node on the way of a unit.</summary>
/// <param name="Node">Its id.</param>
/// <param name="ArrivedMicros">When the unit came there: Unix time of that node's clock, microseconds.</param>
/// <param name="OffsetMicros">What that node's clock is ahead of the authority's, as its links have measured it.</param>
/// <param name="RoundTripMicros">Of its link to the node before; 0 at the authority, and where nothing has been measured.</param>
internal readonly record struct RelayHop(string Node, long ArrivedMicros, long OffsetMicros, long RoundTripMicros)
{
    /// <summary>When the unit came there, by the authority's clock.</summary>
    public long OnAuthorityClock => ArrivedMicros - OffsetMicros;
}

/// <summary>What heartbeats have found about the link to the node that a stream comes from. Microseconds.</summary>
/// <param name="AheadMicros">What this node's clock is ahead of that one's; wrong by at most half of the round trip.</param>
/// <param name="RoundTripMicros">At least 1.</param>
internal sealed record RelayLink(long AheadMicros, long RoundTripMicros);

/// <summary>Who publishes at the authority.</summary>
/// <param name="Protocol">For example <c>rtmp</c>.</param>
/// <param name="Remote">Address and port.</param>
internal sealed record RelayedPublisher(string Protocol, string Remote);

/// <summary>The way of a unit from its authority to this node: <see cref="RelayMessageType.Clock"/>. Belongs to the holder of the stream's lock.</summary>
internal sealed class RelayHops
{
    private readonly List<RelayHop> _hops = [];
    private RelayHop[] _latest = [];
    private RelayLink? _link;
    private RelayedPublisher? _publisher;
    private long _offset;
    private long _roundTrip;

    /// <summary>The entry that comes next is one whose way is told.</summary>
    public bool HasUnit { get; private set; }

    /// <summary>The link that the stream comes by; null until heartbeats have measured it. Any thread.</summary>
    public RelayLink? Link
    {
        get => Volatile.Read(ref _link);
        set => Volatile.Write(ref _link, value);
    }

    /// <summary>The way of the newest unit of which it was told, this node last; empty at the authority. Any thread.</summary>
    public RelayHop[] Latest => Volatile.Read(ref _latest);

    /// <summary>As of the same message; null before the first, and where the authority does not say. Any thread.</summary>
    public RelayedPublisher? Publisher => Volatile.Read(ref _publisher);

    /// <summary>The Timeline has ended; the next may be of another authority, or this node's own.</summary>
    public void Clear()
    {
        _hops.Clear();
        (HasUnit, _offset, _roundTrip) = (false, 0, 0);
        Volatile.Write(ref _latest, []);
        Volatile.Write(ref _publisher, null);
    }

    /// <summary>Takes the payload of a message: the wall clock, and perhaps the way of the entry behind it.</summary>
    /// <param name="payload">Of the message.</param>
    /// <param name="isNew">The entry behind it has not come before.</param>
    /// <param name="epoch">The wall clock of media time 0, Unix, microseconds.</param>
    public bool TryTake(ReadOnlySpan<byte> payload, bool isNew, out long epoch)
    {
        var input = new RelayReader(payload);
        _hops.Clear();
        HasUnit = false;
        if (!input.TryFixedDate(out epoch) || !input.TryNumber(RelayFields.MaxPath, out int count))
            return false;
        for (var i = 0; i < count; i++)
        {
            if (!input.TryText(RelayNode.MaxLength, out var node) || !RelayNode.IsValid(node) || !input.TryFixedDate(out var arrived) || !input.TryTime(out var offset)
                || !input.TryNumber(int.MaxValue, out long roundTrip))
                return false;
            _hops.Add(new RelayHop(node, arrived, offset, roundTrip));
        }

        HasUnit = isNew && count > 0;
        return count == 0 || TryTakePublisher(ref input);
    }

    /// <summary>The unit has come to this node, and been told to those below.</summary>
    /// <param name="node">This node.</param>
    /// <param name="arrived">Unix time, microseconds.</param>
    /// <param name="isOld">It was sent so that the log is whole: how long that took says nothing about the way.</param>
    public void Arrive(string node, long arrived, bool isOld)
    {
        if (!HasUnit)
            return;
        HasUnit = false;
        if (!isOld)
            Volatile.Write(ref _latest, [.. _hops, Here(node, arrived)]);
    }

    /// <param name="target">Takes the payload.</param>
    /// <param name="epoch">The wall clock of media time 0, Unix, microseconds.</param>
    /// <param name="hasHops">The way of the entry behind is told.</param>
    /// <param name="node">This node.</param>
    /// <param name="arrived">When that entry came here: Unix time, microseconds.</param>
    /// <param name="publisher">Who publishes at the authority.</param>
    public void Write(IBufferWriter<byte> target, long epoch, bool hasHops, string node, long arrived, RelayedPublisher? publisher)
    {
        var output = new RelayWriter(target);
        output.Fixed(epoch);
        output.Number(hasHops ? (ulong)_hops.Count + 1 : 0);
        if (!hasHops)
            return;
        foreach (var hop in _hops)
            Write(output, hop);
        Write(output, Here(node, arrived));
        output.Text(RelayText.Cut(publisher?.Protocol ?? "", RelayText.MaxNote));
        output.Text(RelayText.Cut(publisher?.Remote ?? "", RelayText.MaxNote));
    }

    /// <summary>A link that has just been made is not measured yet; the clocks are those that they were.</summary>
    private RelayHop Here(string node, long arrived)
    {
        if (Link is { } link && _hops is [.., var before])
            (_offset, _roundTrip) = (Math.Clamp(before.OffsetMicros + link.AheadMicros, -RelayReader.MaxTime, RelayReader.MaxTime), link.RoundTripMicros);
        return new RelayHop(node, arrived, _offset, _roundTrip);
    }

    private bool TryTakePublisher(ref RelayReader input)
    {
        if (!input.TryNote(out var protocol) || !input.TryNote(out var remote))
            return false;
        var publisher = protocol.Length > 0 ? new RelayedPublisher(protocol, remote) : null;
        if (publisher != _publisher)
            Volatile.Write(ref _publisher, publisher);
        return true;
    }

    private static void Write(RelayWriter output, in RelayHop hop)
    {
        output.Text(hop.Node);
        output.Fixed(hop.ArrivedMicros);
        output.Signed(hop.OffsetMicros);
        output.Number(hop.RoundTripMicros);
    }
}
