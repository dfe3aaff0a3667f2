namespace Millrace.Protocols.Rtmp;

/// <summary>One complete message. The payload is valid until the reader that gave it is asked again.</summary>
/// <param name="Timestamp">Absolute, milliseconds, wraps at 32 bits.</param>
internal readonly record struct RtmpMessage(RtmpMessageType Type, uint Timestamp, uint StreamId, int Csid, ReadOnlyMemory<byte> Payload)
{
    public bool IsMedia => Type is RtmpMessageType.Audio or RtmpMessageType.Video or RtmpMessageType.DataAmf0
        or RtmpMessageType.DataAmf3 or RtmpMessageType.Aggregate;
}
