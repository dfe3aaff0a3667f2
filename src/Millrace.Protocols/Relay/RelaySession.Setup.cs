using System.Buffers;

namespace Millrace.Protocols.Relay;

/// <summary>Hello, Welcome, Proof.</summary>
internal sealed partial class RelaySession
{
    private bool _hasStarted;

    /// <summary>Client: says Hello; once, before the first Receive. Server: nothing.</summary>
    public void Start(IBufferWriter<byte> output)
    {
        if (!_options.IsClient || _hasStarted || IsClosed)
            return;
        _hasStarted = true;
        _self.WriteHello(output);
    }

    private void OnSetup(RelayMessageType type, ReadOnlySpan<byte> payload, IBufferWriter<byte> reply)
    {
        switch (type)
        {
            case RelayMessageType.Hello:
                OnHello(payload, reply);
                break;
            case RelayMessageType.Welcome:
                OnWelcome(payload, reply);
                break;
            case RelayMessageType.Proof:
                OnProof(payload, reply);
                break;
            case RelayMessageType.Refused:
                OnRefused(payload);
                break;
        }
    }

    private void OnHello(ReadOnlySpan<byte> payload, IBufferWriter<byte> reply)
    {
        if (!RelayHello.HasMagic(payload))
        {
            Close("the peer does not speak the relay's protocol");
            return;
        }

        _peer = RelayHello.ReadHello(payload, out var refusal);
        if (_peer is null)
        {
            Refuse(reply, refusal!);
            return;
        }

        Span<byte> proof = stackalloc byte[RelayProof.Length];
        _self.WriteWelcome(reply, proof[..RelayProof.Write(proof, _options.Secret.Span, ofClient: false, _peer, _self)]);
    }

    private void OnWelcome(ReadOnlySpan<byte> payload, IBufferWriter<byte> reply)
    {
        _peer = RelayHello.ReadWelcome(payload, out var proof, out var refusal);
        if (_peer is null)
        {
            End(refusal!);
            return;
        }

        if (!RelayProof.IsAccepted(proof, _options.Secret.Span, ofClient: false, _self, _peer))
        {
            End(Unproved(proof));
            return;
        }

        Span<byte> bytes = stackalloc byte[1 + RelayProof.Length];
        var length = RelayProof.Write(bytes[1..], _options.Secret.Span, ofClient: true, _self, _peer);
        bytes[0] = (byte)length;
        RelayWriter.Message(reply, RelayMessageType.Proof, bytes[..(1 + length)]);
        BecomeReady();
    }

    private void OnProof(ReadOnlySpan<byte> payload, IBufferWriter<byte> reply)
    {
        var reader = new RelayReader(payload);
        if (!reader.TryBytes(RelayProof.Length, out var proof))
            Refuse(reply, new RelayRefusal(RelayRefusalCode.Bad, "a malformed proof"));
        else if (!RelayProof.IsAccepted(proof, _options.Secret.Span, ofClient: true, _peer!, _self))
            Refuse(reply, Unproved(proof));
        else if (_peer!.Node == _self.Node || _peer.Path.Contains(_self.Node, StringComparer.Ordinal))
            Refuse(reply, new RelayRefusal(RelayRefusalCode.Loop, $"a loop: the request is made for {_self.Node} itself"));
        else
            BecomeReady();
    }

    private void OnRefused(ReadOnlySpan<byte> payload)
    {
        if (RelayRefusal.TryRead(payload, out var refusal))
            End(refusal!);
        else
            Close("a malformed refusal");
    }

    private void BecomeReady()
    {
        IsReady = true;
        _pulse.OnSent(_nowMicros);
        Emit(new RelayEvent { Kind = RelayEventKind.Ready });
    }

    /// <summary>The client's end: refused by the server, or by itself for a reason that a server would give.</summary>
    private void End(RelayRefusal refusal)
    {
        Emit(new RelayEvent { Kind = RelayEventKind.Refused, Refusal = refusal });
        Close($"refused: {(int)refusal.Code} {refusal.Reason}");
    }

    private static RelayRefusal Unproved(ReadOnlySpan<byte> proof) =>
        new(RelayRefusalCode.Unauthorized, proof.IsEmpty ? "the peer has no shared secret" : "the peer has another shared secret");
}
