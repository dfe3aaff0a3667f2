using System.Buffers;

namespace Millrace.Protocols.Rtmp;

/// <summary>The server's half of the handshake (RTMP 1.0, 5.2; digests as in <see cref="RtmpHandshake"/>).</summary>
internal sealed class RtmpServerHandshake
{
    private int _secondLeft = RtmpHandshake.PacketSize;

    public bool HasAnswered { get; private set; }

    public bool IsDone => HasAnswered && _secondLeft == 0;

    public RtmpDigestScheme Scheme { get; private set; }

    /// <summary>
    /// Takes C0 and C1 once they are there whole (1,537 bytes; nothing is consumed before), writes S0, S1 and S2, then skips C2 as it
    /// comes. Returns why the peer is refused, or null.
    /// </summary>
    public string? Advance(ref SequenceReader<byte> input, IBufferWriter<byte> reply)
    {
        if (!HasAnswered)
        {
            if (!input.TryPeek(out var version))
            {
                return null;
            }

            if (version != RtmpHandshake.Version)
            {
                return Refusal(version);
            }

            if (input.Remaining < 1 + RtmpHandshake.PacketSize)
            {
                return null;
            }

            input.Advance(1);
            Span<byte> c1 = stackalloc byte[RtmpHandshake.PacketSize];
            input.TryCopyTo(c1);
            input.Advance(c1.Length);
            Answer(c1, reply);
        }

        var skip = (int)Math.Min(_secondLeft, input.Remaining);
        input.Advance(skip);
        _secondLeft -= skip;
        return null;
    }

    private void Answer(ReadOnlySpan<byte> c1, IBufferWriter<byte> reply)
    {
        const int size = 1 + 2 * RtmpHandshake.PacketSize;
        var span = reply.GetSpan(size);
        span[0] = RtmpHandshake.Version;
        var s1 = span.Slice(1, RtmpHandshake.PacketSize);
        Scheme = RtmpHandshake.WriteS1S2(c1, s1, span.Slice(1 + RtmpHandshake.PacketSize, RtmpHandshake.PacketSize));
        reply.Advance(size);
        HasAnswered = true;
    }

    private static string Refusal(byte version) => version switch
    {
        6 or 8 or 9 => $"RTMPE (version {version}) is not supported; use rtmp:// or rtmps://",
        (byte)'G' or (byte)'P' or (byte)'H' or (byte)'O' => "this looks like HTTP, not RTMP",
        0x16 => "this looks like TLS, not RTMP",
        _ => $"RTMP version {version} is not supported",
    };
}
