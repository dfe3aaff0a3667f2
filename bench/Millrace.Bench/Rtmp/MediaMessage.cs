namespace Millrace.Bench.Rtmp;

/// <summary>One RTMP message, or one FLV tag (the types are the same). <c>Timestamp</c> in ms; the payload lives until the next read.</summary>
internal readonly record struct MediaMessage(byte Type, uint Timestamp, uint StreamId, ReadOnlyMemory<byte> Payload)
{
    public const byte SetChunkSize = 1;
    public const byte Acknowledgement = 3;
    public const byte UserControl = 4;
    public const byte WindowAckSize = 5;
    public const byte Audio = 8;
    public const byte Video = 9;
    public const byte Command = 20;

    public bool IsMedia => Type is Audio or Video;
}
