using System.Buffers;
using System.Diagnostics;
using System.Text;

namespace Millrace.Protocols.Relay;

/// <summary>What this side says. Each does nothing when the connection is not in the state for it.</summary>
internal sealed partial class RelaySession
{
    /// <summary>Client: asks, once; whether somebody may, as often as it likes. A request that cannot be sent (<see cref="RelayRequest.Flaw"/>) ends the connection.</summary>
    public void Request(IBufferWriter<byte> output, RelayRequest request)
    {
        if (!_options.IsClient || !IsReady || IsClosed || (_request != RelayMessageType.None && (request.Kind != RelayRequestKind.Authorize || _request != RelayMessageType.Authorize)))
            return;
        if (request.Flaw is { } flaw)
        {
            Close(flaw);
            return;
        }

        _request = (RelayMessageType)request.Kind;
        request.Write(output);
        Sent();
    }

    /// <summary>Server: grants the request.</summary>
    /// <param name="payload">What the kind of request calls for; at most <see cref="RelayRules.MaxState"/> bytes.</param>
    public void Accept(IBufferWriter<byte> output, ReadOnlySpan<byte> payload)
    {
        if (_options.IsClient || _request == RelayMessageType.None || _isAccepted || IsClosed)
            return;
        _isAccepted = true;
        Message(output, RelayMessageType.Accepted, payload);
    }

    /// <summary>Server: answers whether somebody may.</summary>
    /// <param name="question">Its <see cref="RelayRequest.From"/>.</param>
    /// <param name="code">200, or a <see cref="RelayRefusalCode"/>.</param>
    /// <param name="lifetimeMillis">How long that holds at most; 0: not said.</param>
    /// <param name="reason">For people; cut after <see cref="RelayText.MaxNote"/> bytes.</param>
    public void SendVerdict(IBufferWriter<byte> output, long question, int code, int lifetimeMillis, string reason)
    {
        if (_options.IsClient || _request != RelayMessageType.Authorize || IsClosed)
            return;
        reason = RelayText.Cut(reason, RelayText.MaxNote);
        var length = RelayWriter.LengthOf((ulong)question) + RelayWriter.LengthOf((ulong)code) + RelayWriter.LengthOf((ulong)lifetimeMillis) + RelayText.LengthOf(reason);
        var writer = Header(output, RelayMessageType.Verdict, length);
        writer.Number(question);
        writer.Number((ulong)code);
        writer.Number((ulong)lifetimeMillis);
        writer.Text(reason);
    }

    /// <summary>Server: refuses the peer or its request, before the answer or after it, and closes.</summary>
    public void Refuse(IBufferWriter<byte> output, RelayRefusal refusal)
    {
        if (_options.IsClient || IsClosed)
            return;
        refusal.Write(output);
        Close($"refused by this side: {(int)refusal.Code} {refusal.Reason}");
    }

    /// <summary>The receiver of media: the forms of HLS whose playlist state it needs from now on.</summary>
    public void Want(IBufferWriter<byte> output, byte formats)
    {
        if (IsMediaReceiver && !IsClosed)
            Message(output, RelayMessageType.Want, [formats, .. stackalloc byte[RelayWriter.FilledPayload - 1]]);
    }

    /// <summary>The receiver of media: asks for an HLS object.</summary>
    /// <param name="id">This side's number for it, which the answer has.</param>
    /// <param name="name">Its file name, at most <see cref="RelayText.MaxName"/> bytes.</param>
    public void Fetch(IBufferWriter<byte> output, uint id, string name)
    {
        if (!IsMediaReceiver || IsClosed)
            return;
        Debug.Assert(RelayText.Fits(name, RelayText.MaxName), "the peer would close");
        var length = RelayWriter.LengthOf(id) + RelayText.LengthOf(name);
        var filler = Math.Max(0, RelayWriter.FilledPayload - length);
        var writer = Header(output, RelayMessageType.Fetch, length + filler);
        writer.Number((ulong)id);
        writer.Text(name);
        output.Write(stackalloc byte[filler]);
    }

    /// <summary>The sender of media: answers a fetch.</summary>
    /// <param name="status">As in HTTP; with 200 the bytes follow by <see cref="SendObjectData"/>.</param>
    /// <param name="length">Of the object, at most <see cref="RelayRules.MaxObject"/> bytes.</param>
    public void SendObject(IBufferWriter<byte> output, uint id, int status, long length)
    {
        if (!IsMediaSender || IsClosed)
            return;
        var payload = RelayWriter.LengthOf(id) + RelayWriter.LengthOf((ulong)status) + RelayWriter.LengthOf((ulong)length);
        var writer = Header(output, RelayMessageType.Object, payload);
        writer.Number((ulong)id);
        writer.Number((ulong)status);
        writer.Number(length);
    }

    /// <summary>The sender of media: the next bytes of an object. Media waits behind them: callers send short pieces.</summary>
    public void SendObjectData(IBufferWriter<byte> output, uint id, ReadOnlySpan<byte> data)
    {
        while (IsMediaSender && !IsClosed && !data.IsEmpty)
        {
            var take = Math.Min(data.Length, RelayRules.MaxObjectData - RelayWriter.LengthOf(id));
            Header(output, RelayMessageType.ObjectData, RelayWriter.LengthOf(id) + take).Number((ulong)id);
            output.Write(data[..take]);
            data = data[take..];
        }
    }

    /// <summary>The sender of media: the state of a form's playlists; false when it is longer than a message may be.</summary>
    public bool TrySendPlaylists(IBufferWriter<byte> output, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > RelayRules.Limit(RelayMessageType.Playlists))
            return false;
        if (IsMediaSender && !IsClosed)
            Message(output, RelayMessageType.Playlists, payload);
        return true;
    }

    /// <summary>Either side: says why, when the peer can understand it, and closes.</summary>
    public void Stop(IBufferWriter<byte> output, string reason)
    {
        if (IsClosed)
            return;
        if (IsReady)
        {
            reason = RelayText.Cut(reason, RelayText.MaxNote);
            Header(output, RelayMessageType.Stop, RelayText.LengthOf(reason)).Text(reason);
        }

        Close($"stopped by this side: {reason}");
    }

    private void Message(IBufferWriter<byte> output, RelayMessageType type, ReadOnlySpan<byte> payload)
    {
        Debug.Assert(payload.Length <= RelayRules.Limit(type), "the peer would close");
        RelayWriter.Message(output, type, payload);
        Sent();
    }

    private RelayWriter Header(IBufferWriter<byte> output, RelayMessageType type, int payload)
    {
        output.Advance(RelayFrame.WriteHeader(output.GetSpan(RelayFrame.MaxHeader), type, payload));
        Sent();
        return new RelayWriter(output);
    }

    /// <summary>As of the time that this session was told last: a heartbeat comes too early rather than too late.</summary>
    private void Sent() => _pulse.OnSent(_nowMicros);
}
