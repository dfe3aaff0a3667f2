using System.Buffers;
using Millrace.Media.Amf;
using Millrace.Protocols.Rtmp;

namespace Millrace.Protocols.Tests.Rtmp;

/// <summary>Reads what a server session wrote.</summary>
internal static class Replies
{
    /// <summary>All messages behind S0, S1 and S2, payloads copied.</summary>
    public static List<RtmpMessage> Messages(byte[] written, bool hasHandshake = true)
    {
        using var chunks = new RtmpChunkReader(RtmpOptions.Default);
        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(written));
        reader.Advance(hasHandshake ? 1 + 2 * RtmpHandshake.PacketSize : 0);
        var messages = new List<RtmpMessage>();
        while (chunks.TryRead(ref reader, out var message))
        {
            if (message.Type == RtmpMessageType.SetChunkSize)
            {
                chunks.ChunkSize = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(message.Payload.Span);
            }

            messages.Add(message with { Payload = message.Payload.ToArray() });
        }

        chunks.Error.ShouldBeNull();
        return messages;
    }

    /// <summary>One line per command: name, transaction id, and the code or number it carries.</summary>
    public static List<string> Commands(byte[] written)
    {
        var lines = new List<string>();
        foreach (var message in Messages(written))
        {
            if (message.Type == RtmpMessageType.CommandAmf0)
            {
                RtmpCommand.TryParse(in message, out var command).ShouldBeTrue();
                var value = command.Argument(0);
                var text = value.Kind == AmfKind.Number ? value.ToString() : value.GetString("code") ?? "";
                lines.Add($"{command.Name} {command.TransactionId} {text}".TrimEnd());
            }
        }

        return lines;
    }
}
