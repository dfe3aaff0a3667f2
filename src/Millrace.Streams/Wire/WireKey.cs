using Millrace.Media.Flv;

namespace Millrace.Streams.Wire;

internal enum WireFormat : byte
{
    Rtmp,
    Flv,

    /// <summary>One HTTP/1.1 chunk (RFC 9112 7.1) for each FLV tag: the only way to end a body of unknown length that every client takes for an end.</summary>
    ChunkedFlv,

    /// <summary>One complete unmasked binary WebSocket message (RFC 6455 5.6) for each FLV tag.</summary>
    WsFlv,

    /// <summary>The entries of the stream log, for another node (<see cref="Protocols.Relay.RelayMessageType"/>).</summary>
    Relay,
}

internal enum WireTracks : byte
{
    All,
    AudioOnly,
    VideoOnly,
}

/// <summary>Names one wire log of a stream: viewers with the same key share the same bytes.</summary>
/// <param name="Format">Framing of the bytes.</param>
/// <param name="Form">Which codecs and tracks a player of it understands.</param>
/// <param name="Tracks">What an RTMP receiveAudio or receiveVideo left.</param>
/// <param name="MessageStreamId">RTMP message stream; 0 for the FLV formats.</param>
internal readonly record struct WireKey(WireFormat Format, FlvForm Form, WireTracks Tracks = WireTracks.All, uint MessageStreamId = 0)
{
    public static WireKey Rtmp(FlvForm form) => new(WireFormat.Rtmp, form, WireTracks.All, 1);

    public static WireKey Relay => new(WireFormat.Relay, FlvForm.Enhanced);

    public static WireKey Flv(FlvForm form) => new(WireFormat.Flv, form);

    public static WireKey ChunkedFlv(FlvForm form) => new(WireFormat.ChunkedFlv, form);

    public static WireKey WsFlv(FlvForm form) => new(WireFormat.WsFlv, form);
}
