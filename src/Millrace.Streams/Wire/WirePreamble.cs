namespace Millrace.Streams.Wire;

/// <summary>
/// The state that a player needs before its first frame: metadata, sequence headers. Immutable; each join point of a
/// wire log names the one that holds there.
/// </summary>
internal sealed class WirePreamble(WireHeader[] headers)
{
    public ReadOnlySpan<WireHeader> Headers => headers;
}

/// <summary>One message of a preamble.</summary>
/// <param name="Type">RTMP message type and FLV tag type: 8 audio, 9 video, 18 script data.</param>
/// <param name="Body">The message body, without framing.</param>
internal readonly record struct WireHeader(byte Type, ReadOnlyMemory<byte> Body)
{
    private const byte DataType = 18;

    /// <summary>
    /// Sequence headers carry the time of what follows. Metadata carries 0, as from every server: ffmpeg takes an
    /// onMetaData with a time for a frame of a text track.
    /// </summary>
    public uint TimestampAt(long dtsMillis) => Type == DataType ? 0 : (uint)dtsMillis;
}
