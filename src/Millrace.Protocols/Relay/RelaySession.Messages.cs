using System.Buffers;

namespace Millrace.Protocols.Relay;

/// <summary>What comes, and what may come.</summary>
internal sealed partial class RelaySession
{
    private const int MaxStatus = 999;

    /// <summary>What TLS begins with (RFC 8446, 5.1); types that no message has.</summary>
    private const int TlsAlert = 21;
    private const int TlsHandshake = 22;

    private RelayMessageType _request;
    private bool _isAccepted;

    private bool IsMediaReceiver => _isAccepted && _request == (_options.IsClient ? RelayMessageType.Play : RelayMessageType.Publish);

    private bool IsMediaSender => _isAccepted && _request == (_options.IsClient ? RelayMessageType.Publish : RelayMessageType.Play);

    /// <summary>Null when a message of the type may come now.</summary>
    private string? Objection(RelayMessageType type)
    {
        if (IsReady ? MayCome(type) : MayComeInSetup(type))
            return null;
        return !IsReady && (int)type is TlsAlert or TlsHandshake ? "the peer speaks TLS, and this side does not"
            : !IsReady ? $"{type} does not belong here in the set-up"
            : _request == RelayMessageType.None ? $"{type} before a request"
            : !_isAccepted ? $"{type} before the answer to {_request}"
            : $"{type} from the {(_options.IsClient ? "server" : "client")} of a connection for {_request}";
    }

    private bool MayComeInSetup(RelayMessageType type) => type switch
    {
        RelayMessageType.Hello => !_options.IsClient && _peer is null,
        RelayMessageType.Proof => !_options.IsClient && _peer is not null,
        RelayMessageType.Welcome or RelayMessageType.Refused => _options.IsClient && _hasStarted,
        _ => false,
    };

    private bool MayCome(RelayMessageType type) => type switch
    {
        RelayMessageType.Heartbeat or RelayMessageType.HeartbeatReply or RelayMessageType.Stop => true,
        RelayMessageType.Hello or RelayMessageType.Welcome or RelayMessageType.Proof => false,
        RelayMessageType.Refused => _options.IsClient,
        RelayMessageType.Accepted => _options.IsClient && _request != RelayMessageType.None && !_isAccepted,
        RelayMessageType.Verdict => _options.IsClient && _request == RelayMessageType.Authorize,
        RelayMessageType.Want or RelayMessageType.Fetch => IsMediaSender,
        RelayMessageType.Object or RelayMessageType.ObjectData or RelayMessageType.Playlists => IsMediaReceiver,
        _ when RelayRules.IsLog(type) => IsMediaReceiver,
        RelayMessageType.Authorize when _request == RelayMessageType.Authorize => !_options.IsClient,
        _ when RelayRules.IsRequest(type) => !_options.IsClient && _request == RelayMessageType.None,

        // Not known: skipped.
        _ => true,
    };

    private void OnMessage(RelayMessageType type, ReadOnlyMemory<byte> payload, IBufferWriter<byte> reply)
    {
        if (RelayRules.IsLog(type))
            Emit(new RelayEvent { Kind = RelayEventKind.Log, Type = type, Payload = payload });
        else if (RelayRules.IsRequest(type))
            OnRequest(type, payload.Span, reply);
        else if (RelayRules.IsKnown(type) && !OnControl(type, payload, reply))
            Close($"a malformed {type} of {payload.Length} bytes");
    }

    private void OnRequest(RelayMessageType type, ReadOnlySpan<byte> payload, IBufferWriter<byte> reply)
    {
        var request = RelayRequest.Read((RelayRequestKind)type, payload);
        if (request is null || request.Flaw is not null)
        {
            Refuse(reply, new RelayRefusal(RelayRefusalCode.Bad, $"{type}: {request?.Flaw ?? "malformed"}"));
            return;
        }

        _request = type;
        Emit(new RelayEvent { Kind = RelayEventKind.Requested, Request = request });
    }

    /// <summary>False when the message is malformed.</summary>
    private bool OnControl(RelayMessageType type, ReadOnlyMemory<byte> payload, IBufferWriter<byte> reply)
    {
        switch (type)
        {
            case RelayMessageType.Heartbeat:
                return OnHeartbeat(payload.Span, reply);
            case RelayMessageType.HeartbeatReply:
                return _pulse.TryMeasure(payload.Span, _nowMicros);
            case RelayMessageType.Refused:
                OnRefused(payload.Span);
                return true;
            case RelayMessageType.Accepted:
                _isAccepted = true;
                Emit(new RelayEvent { Kind = RelayEventKind.Accepted, Payload = payload });
                return true;
            case RelayMessageType.Playlists:
                Emit(new RelayEvent { Kind = RelayEventKind.Playlists, Payload = payload });
                return true;
            case RelayMessageType.ObjectData:
                return OnObjectData(payload);
            default:
                return OnFields(type, new RelayReader(payload.Span));
        }
    }

    private bool OnHeartbeat(ReadOnlySpan<byte> payload, IBufferWriter<byte> reply)
    {
        if (!_pulse.TryTake(payload, _nowMicros))
            return false;
        if (!RepliesWithMedia)
            _pulse.WriteReply(reply, _nowMicros);
        return true;
    }

    private bool OnObjectData(ReadOnlyMemory<byte> payload)
    {
        var reader = new RelayReader(payload.Span);
        if (!reader.TryNumber(uint.MaxValue, out long id))
            return false;
        Emit(new RelayEvent { Kind = RelayEventKind.ObjectData, Id = (uint)id, Payload = payload[^reader.Rest.Length..] });
        return true;
    }

    private bool OnFields(RelayMessageType type, RelayReader reader)
    {
        switch (type)
        {
            case RelayMessageType.Want when reader.TryByte(out var formats):
                Emit(new RelayEvent { Kind = RelayEventKind.Want, Formats = formats });
                return true;
            case RelayMessageType.Fetch when reader.TryNumber(uint.MaxValue, out long id) && reader.TryText(RelayText.MaxName, out var name):
                Emit(new RelayEvent { Kind = RelayEventKind.Fetch, Id = (uint)id, Text = name });
                return true;
            case RelayMessageType.Object when reader.TryNumber(uint.MaxValue, out long id) && reader.TryNumber(MaxStatus, out int status)
                && reader.TryNumber(RelayRules.MaxObject, out long length):
                Emit(new RelayEvent { Kind = RelayEventKind.Object, Id = (uint)id, Status = status, Length = length });
                return true;
            case RelayMessageType.Verdict when reader.TryNumber(uint.MaxValue, out long number) && reader.TryNumber(MaxStatus, out int code)
                && reader.TryNumber(int.MaxValue, out int lifetime) && reader.TryNote(out var why):
                Emit(new RelayEvent { Kind = RelayEventKind.Verdict, Id = (uint)number, Status = code, Length = lifetime, Text = why });
                return true;
            case RelayMessageType.Stop when reader.TryNote(out var reason):
                Emit(new RelayEvent { Kind = RelayEventKind.Stopped, Text = reason });
                Close($"stopped by the peer: {reason}");
                return true;
            default:
                return false;
        }
    }
}
