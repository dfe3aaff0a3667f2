using System.Buffers;
using System.Text;
using Millrace.Media.Flv;
using Millrace.Node.Http;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Publishing;
using Millrace.Streams.Wire;

namespace Millrace.Node.Relay;

/// <summary>One HTTP socket to a foreign server, which sends a stream as FLV in the body of its answer.</summary>
internal sealed class FlvOriginConnection(ShardSocket socket, Shard shard, NodeContext node, IRelayClient client, StreamName stream, OriginAddress origin, ForeignTarget target)
    : ForeignConnection(socket, shard, node, client, "flv-pull", stream, target)
{
    /// <summary>What servers take: 8 KB for a request line is usual (RFC 9112, 3).</summary>
    private const int MaxTarget = 7 * 1024;

    private readonly HttpResponseReader _response = new();
    private readonly FlvTagReader _tags = new(Math.Min(FlvIntake.MaxUnitBytes, (int)Math.Min(node.Settings.Rtmp.MaxMessage, int.MaxValue)));
    private byte[] _held = [];
    private int _heldLength;

    protected override bool IsPull => true;

    protected override long HeldBytes => _held.Length;

    protected override void Introduce(long now)
    {
        if (Target.RequestTarget.Length > MaxTarget)
        {
            Refuse(RelayRefusalCode.Bad, $"a name and a query of more than {MaxTarget} bytes");
            return;
        }

        var request = $"GET {Target.RequestTarget} HTTP/1.1\r\nHost: {Target.Host}\r\nUser-Agent: Millrace/0.1\r\nAccept: */*\r\nMillrace-Node: {Node.Id}\r\nConnection: close\r\n\r\n";
        SendControl(Encoding.ASCII.GetBytes(request), now);
    }

    protected override void OnSignal(WireSignal signal, long now)
    {
    }

    protected override void Feed(int length, long now)
    {
        var input = Shard.ReceiveBuffer.AsSpan(0, length);
        while (!IsEnding && _response.TryRead(input, out var consumed, out var body))
        {
            input = input[consumed..];
            if (body.IsEmpty)
                Answer(now);
            else
                TakeBody(body, now);
        }

        if (IsEnding)
            return;
        if ((_response.Error ?? _tags.Error) is { } error)
            Refuse(RelayRefusalCode.Unavailable, error);
        else if (_response.IsEnded)
            Refuse(RelayRefusalCode.NotFound, "ended by the server");
    }

    protected override void OnClosed(string reason)
    {
        if (_held.Length > 0)
            ArrayPool<byte>.Shared.Return(_held);
        (_held, _heldLength) = ([], 0);
        base.OnClosed(reason);
    }

    private void Answer(long now)
    {
        var status = _response.Status;
        if (status == 200)
        {
            BecomeReady(now);
            return;
        }

        if (status is 301 or 302 or 303 or 307 or 308 && Uri.TryCreate(new Uri($"{(origin.IsTls ? "https" : "http")}://{Target.Host}{Target.RequestTarget}"), _response.Location, out var url))
            Redirect = OriginAddress.TryFollow(url.AbsoluteUri, Target);
        var code = status switch
        {
            404 or 410 => RelayRefusalCode.NotFound,
            401 or 403 => RelayRefusalCode.Denied,
            _ => RelayRefusalCode.Unavailable,
        };
        Refuse(code, $"refused by the server: HTTP status {status}");
    }

    private void TakeBody(ReadOnlySpan<byte> body, long now)
    {
        if (_heldLength == 0)
        {
            var used = TakeTags(body, now);
            if (!IsEnding)
                Hold(body[used..]);
            return;
        }

        Hold(body);
        var taken = TakeTags(_held.AsSpan(0, _heldLength), now);
        if (IsEnding)
            return;
        _held.AsSpan(taken, _heldLength - taken).CopyTo(_held);
        _heldLength -= taken;
    }

    private int TakeTags(ReadOnlySpan<byte> input, long now)
    {
        var offset = 0;
        while (!IsEnding)
        {
            var isTag = _tags.TryRead(input[offset..], out var consumed, out var tag);
            offset += consumed;
            if (!isTag)
                break;
            Take(tag.Type, tag.TimestampMs, tag.Body, now);
        }

        return offset;
    }

    /// <summary>A tag that has come in part.</summary>
    private void Hold(ReadOnlySpan<byte> rest)
    {
        if (_heldLength + rest.Length > _held.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(2 * (_heldLength + rest.Length));
            _held.AsSpan(0, _heldLength).CopyTo(larger);
            if (_held.Length > 0)
                ArrayPool<byte>.Shared.Return(_held);
            _held = larger;
        }

        rest.CopyTo(_held.AsSpan(_heldLength));
        _heldLength += rest.Length;
    }
}
