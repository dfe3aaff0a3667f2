using System.Buffers;
using Millrace.Node.Hls;
using Millrace.Node.Http;
using Millrace.Streams;
using Millrace.Streams.Hls;

namespace Millrace.Node.Relay;

/// <summary>The objects that another node fetches over a connection: in pieces between the messages of the log, and only where there is room.</summary>
internal sealed class RelayObjects(RelayConnection connection, NodeContext node)
{
    /// <summary>What media waits behind.</summary>
    private const int PieceBytes = 64 * 1024;

    /// <summary>Fetches at once; nodes have fewer on their way, and whoever has more is no node.</summary>
    private const int MaxFetches = 256;

    private readonly Queue<(uint Id, MediaBody Body)> _ready = [];
    private int _asked;

    public void Ask(LiveStream stream, uint id, string text, long now)
    {
        if (_asked + _ready.Count >= MaxFetches || !RelayObjectName.TryParse(text, out var name) || name.Find(stream) is not { } segment)
        {
            Refuse(id, now);
            return;
        }

        if (!segment.IsAway)
        {
            Answer(id, segment, now);
            return;
        }

        if (now < segment.LostUntil)
        {
            Refuse(id, now);
            return;
        }

        _asked++;
        node.HlsFetches.Begin(node, stream, segment, name).Then(() => connection.Shard.Post(() =>
        {
            _asked--;
            Answer(id, segment, NodeClock.Micros);
        }));
    }

    /// <summary>Puts the next piece into what is about to be sent; false when there is none.</summary>
    public bool TryQueue()
    {
        if (!_ready.TryPeek(out var next))
            return false;
        var (id, body) = next;
        var length = (int)Math.Min(PieceBytes, body.Length);
        var piece = ArrayPool<byte>.Shared.Rent(length);
        body.Segment!.Bytes.CopyTo(body.Position, piece.AsSpan(0, length));
        connection.Protocol.SendObjectData(connection.Shard.Reply, id, piece.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(piece);
        _ready.Dequeue();
        connection.QueueReply();
        if (length < body.Length && !connection.IsClosed)
            _ready.Enqueue((id, body.Slice(length, body.Length - length)));
        else
            body.Segment.Unpin();
        return true;
    }

    /// <summary>The connection has gone.</summary>
    public void Drop()
    {
        while (_ready.TryDequeue(out var next))
            next.Body.Segment!.Unpin();
    }

    private void Answer(uint id, HlsSegment segment, long now)
    {
        if (connection.IsEnding)
            return;
        if (segment.IsAway || segment.IsGap || !segment.TryPin())
        {
            Refuse(id, now);
            return;
        }

        connection.Protocol.SendObject(connection.Shard.Reply, id, 200, segment.Length);
        _ready.Enqueue((id, MediaBody.Of(segment, 0, segment.Length)));
        connection.HasMore = true;
        connection.SendReply(now);
    }

    private void Refuse(uint id, long now)
    {
        connection.Protocol.SendObject(connection.Shard.Reply, id, 404, 0);
        connection.SendReply(now);
    }
}
