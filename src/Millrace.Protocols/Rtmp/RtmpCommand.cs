using System.Buffers;
using Millrace.Media.Amf;

namespace Millrace.Protocols.Rtmp;

/// <summary>A command message (7.2): name, transaction id, command object, arguments.</summary>
internal sealed record RtmpCommand(string Name, double TransactionId, AmfValue Object, IReadOnlyList<AmfValue> Arguments)
{
    /// <summary>Longest command body that is parsed, bytes; real ones stay below 2 KB.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>False on a malformed or oversized body. A missing transaction id or object reads as 0 and undefined.</summary>
    public static bool TryParse(in RtmpMessage message, out RtmpCommand command)
    {
        command = new RtmpCommand("", 0, AmfValue.Undefined, []);
        var body = SkipAmf3Prefix(message.Type == RtmpMessageType.CommandAmf3, message.Payload).Span;
        var reader = new Amf0Reader(body);
        if (body.Length > MaxBytes || !reader.TryReadString(out var name))
        {
            return false;
        }

        double transaction = 0;
        if (!reader.IsAtEnd)
        {
            if (!reader.TryRead(out var id))
            {
                return false;
            }

            transaction = id.Number;
        }

        var values = new List<AmfValue>();
        while (!reader.IsAtEnd)
        {
            if (!reader.TryRead(out var value))
            {
                return false;
            }

            values.Add(value);
        }

        var target = values.Count > 0 ? values[0] : AmfValue.Undefined;
        command = new RtmpCommand(name, transaction, target, values.Count > 1 ? values[1..] : []);
        return true;
    }

    /// <summary>Types 15 and 17 have one format byte, zero, before what is AMF0 with AMF3 values in it.</summary>
    public static ReadOnlyMemory<byte> SkipAmf3Prefix(bool isAmf3, ReadOnlyMemory<byte> body) =>
        isAmf3 && !body.IsEmpty && body.Span[0] == 0 ? body[1..] : body;

    public AmfValue Argument(int index) => index < Arguments.Count ? Arguments[index] : AmfValue.Undefined;

    /// <summary>The argument's text, or null when it is missing or no string.</summary>
    public string? Text(int index) => Argument(index) is { Kind: AmfKind.String } value ? value.Text : null;
}

/// <summary>Builds command messages in a scratch buffer and writes them as chunks.</summary>
/// <param name="chunks">How the connection frames them.</param>
/// <param name="body">The scratch buffer, used from Begin to Send only: all connections of a thread can share one.</param>
internal sealed class RtmpCommandWriter(RtmpChunkWriter chunks, ArrayBufferWriter<byte>? body = null)
{
    private readonly ArrayBufferWriter<byte> _body = body ?? new(512);

    /// <summary>Starts a body with name and transaction id; the caller writes the rest and calls <see cref="Send"/>.</summary>
    public Amf0Writer Begin(string name, double transactionId)
    {
        var amf = BeginData(name);
        amf.Number(transactionId);
        return amf;
    }

    /// <summary>Starts a data message's body.</summary>
    public Amf0Writer BeginData(string name)
    {
        _body.ResetWrittenCount();
        var amf = new Amf0Writer(_body);
        amf.String(name);
        return amf;
    }

    public void Send(IBufferWriter<byte> output, uint streamId) =>
        chunks.Write(output, RtmpIds.CommandCsid, RtmpMessageType.CommandAmf0, 0, streamId, _body.WrittenSpan);

    public void SendData(IBufferWriter<byte> output, uint streamId) =>
        chunks.Write(output, RtmpIds.DataCsid, RtmpMessageType.DataAmf0, 0, streamId, _body.WrittenSpan);

    /// <summary>A call without object or arguments but null.</summary>
    public void SendCall(IBufferWriter<byte> output, string name, double transactionId, uint streamId = 0)
    {
        Begin(name, transactionId).Null();
        Send(output, streamId);
    }

    /// <summary>A call with a null object and one text.</summary>
    public void SendCall(IBufferWriter<byte> output, string name, double transactionId, string argument)
    {
        var amf = Begin(name, transactionId);
        amf.Null();
        amf.String(argument);
        Send(output, 0);
    }

    /// <summary>_result with a null object and an undefined value, as FMLE gets it.</summary>
    public void SendResult(IBufferWriter<byte> output, double transactionId)
    {
        var amf = Begin("_result", transactionId);
        amf.Null();
        amf.Undefined();
        Send(output, 0);
    }

    /// <summary>_result with a null object and a number.</summary>
    public void SendResult(IBufferWriter<byte> output, double transactionId, double value)
    {
        var amf = Begin("_result", transactionId);
        amf.Null();
        amf.Number(value);
        Send(output, 0);
    }

    /// <summary>A command with an information object: onStatus (7.2.2), onFCPublish, _error.</summary>
    public void SendInfo(IBufferWriter<byte> output, uint streamId, string name, double transactionId, string level, string code, string description)
    {
        var amf = Begin(name, transactionId);
        amf.Null();
        amf.StartObject();
        amf.Member("level", level);
        amf.Member("code", code);
        amf.Member("description", description);
        amf.EndObject();
        Send(output, streamId);
    }

    public void SendStatus(IBufferWriter<byte> output, uint streamId, string level, string code, string description) =>
        SendInfo(output, streamId, "onStatus", 0, level, code, description);
}
