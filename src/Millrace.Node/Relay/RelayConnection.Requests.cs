using System.Buffers;
using Millrace.Node.Access;
using Millrace.Protocols.Relay;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <content>What the other node asks for.</content>
internal sealed partial class RelayConnection
{
    private void Answer(RelayRequest request, long now)
    {
        var slash = request.Stream.IndexOf('/', StringComparison.Ordinal);
        StreamName? name = null;
        var error = "a stream's name without its vhost";
        if (slash <= 0 || !StreamName.TryParse(request.Stream[..slash], request.Stream[(slash + 1)..], out name, out error))
        {
            Refuse(new RelayRefusal(RelayRefusalCode.Bad, error!), now);
            return;
        }

        switch (request.Kind)
        {
            case RelayRequestKind.Play:
                _player = new RelayPlayer(this, _node, name);
                _player.Open(request, now);
                break;
            case RelayRequestKind.Authorize:
                Authorize(name, request);
                break;
            case RelayRequestKind.Publish:
                _publisher = new RelayPublisher(this, _node, name, request);
                _publisher.Open(now);
                break;
            case RelayRequestKind.Describe:
                Describe(name, request, now);
                break;
            default:
                Refuse(new RelayRefusal(RelayRefusalCode.Bad, $"{request.Kind} is not served here"), now);
                break;
        }
    }

    /// <summary>What is here now: for a question alone nothing is fetched.</summary>
    private void Describe(StreamName name, RelayRequest request, long now)
    {
        var description = new ArrayBufferWriter<byte>(4 * 1024);
        if (_node.Registry.Find(name) is not { } stream || !stream.TryDescribe(request.Formats, now, description))
        {
            Refuse(new RelayRefusal(RelayRefusalCode.NotFound, $"{name.Path} is not live"), now);
            return;
        }

        // Without playlists there is room for it in any case.
        if (description.WrittenCount > RelayRules.MaxState)
        {
            description.ResetWrittenCount();
            stream.TryDescribe(formats: 0, now, description);
        }

        _session.Accept(Shard.Reply, description.WrittenSpan);
        _session.Stop(Shard.Reply, "described");
        EndAfterReply("described", now);
    }

    /// <summary>Whether somebody may, whom another node would let in: as this node decides about its own viewers and publishers.</summary>
    private void Authorize(StreamName name, RelayRequest request)
    {
        IReadOnlyList<string> path = [.. _session.PeerPath, _session.PeerNode];
        var isAtOnce = true;
        _node.Access.Answer(name, request, path, Shard, (verdict, at) =>
        {
            if (IsEnding)
                return;
            var lifetime = verdict.Until == long.MaxValue ? 0 : (int)Math.Clamp((verdict.Until - at) / 1_000, 1, int.MaxValue);
            _session.SendVerdict(Shard.Reply, request.From, verdict.Outcome switch
            {
                AccessOutcome.Allowed => 200,
                AccessOutcome.Unavailable => (int)RelayRefusalCode.Unavailable,
                _ => (int)RelayRefusalCode.Denied,
            }, verdict.IsAllowed ? lifetime : 0, verdict.Reason);
            if (!isAtOnce)
                SendReply(at);
        });
        isAtOnce = false;
    }
}
