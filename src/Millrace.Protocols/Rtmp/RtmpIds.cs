namespace Millrace.Protocols.Rtmp;

/// <summary>Message type ids (RTMP 1.0, 5.4, 6.2 and 7.1).</summary>
internal enum RtmpMessageType : byte
{
    SetChunkSize = 1,
    Abort = 2,
    Acknowledgement = 3,
    UserControl = 4,
    WindowAckSize = 5,
    SetPeerBandwidth = 6,
    Audio = 8,
    Video = 9,
    DataAmf3 = 15,
    SharedObjectAmf3 = 16,
    CommandAmf3 = 17,
    DataAmf0 = 18,
    SharedObjectAmf0 = 19,
    CommandAmf0 = 20,
    Aggregate = 22,
}

/// <summary>User control event types (7.1.7).</summary>
internal enum RtmpUserControl : ushort
{
    StreamBegin = 0,
    StreamEof = 1,
    StreamDry = 2,
    SetBufferLength = 3,
    StreamIsRecorded = 4,
    PingRequest = 6,
    PingResponse = 7,
}

/// <summary>
/// The chunk stream and message stream ids that this server uses towards every peer. They are fixed because all players of a
/// stream share the same bytes.
/// </summary>
internal static class RtmpIds
{
    /// <summary>Protocol control and user control messages (5.4, 6.2).</summary>
    public const int ProtocolCsid = 2;
    public const int CommandCsid = 3;
    public const int AudioCsid = 4;
    public const int DataCsid = 5;
    public const int VideoCsid = 6;

    /// <summary>What the first createStream of a connection returns.</summary>
    public const uint FirstMessageStream = 1;

    /// <summary>Largest chunk stream id (5.3.1.1, three-byte form).</summary>
    public const int MaxCsid = 65_599;

    /// <summary>A 24-bit timestamp field of this value announces the extended field (5.3.1.3).</summary>
    public const uint ExtendedTimestamp = 0xFFFFFF;

    /// <summary>Chunk size before any SetChunkSize (5.4.1), bytes.</summary>
    public const int DefaultChunkSize = 128;

    /// <summary>Message lengths are 24-bit (5.3.1.2.1).</summary>
    public const int MaxMessageLength = 0xFFFFFF;
}
