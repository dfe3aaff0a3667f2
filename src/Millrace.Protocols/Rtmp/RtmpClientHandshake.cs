using System.Buffers;

namespace Millrace.Protocols.Rtmp;

/// <summary>The client's half of the handshake.</summary>
internal sealed class RtmpClientHandshake(RtmpDigestScheme scheme)
{
    private int _secondLeft = RtmpHandshake.PacketSize;

    public bool HasAnswered { get; private set; }

    public bool IsDone => HasAnswered && _secondLeft == 0;

    /// <summary>What the server's S1 turned out to be.</summary>
    public RtmpDigestScheme ServerScheme { get; private set; }

    /// <summary>Writes C0 and C1.</summary>
    public void Start(IBufferWriter<byte> output)
    {
        var span = output.GetSpan(1 + RtmpHandshake.PacketSize);
        span[0] = RtmpHandshake.Version;
        RtmpHandshake.WriteC1(span.Slice(1, RtmpHandshake.PacketSize), scheme);
        output.Advance(1 + RtmpHandshake.PacketSize);
    }

    /// <summary>Takes S0 and S1, writes C2, skips S2 (like every client but Flash's own: unverified). Returns a refusal or null.</summary>
    public string? Advance(ref SequenceReader<byte> input, IBufferWriter<byte> output)
    {
        if (!HasAnswered)
        {
            if (!input.TryPeek(out var version))
            {
                return null;
            }

            if (version != RtmpHandshake.Version)
            {
                return $"the server answered with RTMP version {version}";
            }

            if (input.Remaining < 1 + RtmpHandshake.PacketSize)
            {
                return null;
            }

            input.Advance(1);
            Span<byte> s1 = stackalloc byte[RtmpHandshake.PacketSize];
            input.TryCopyTo(s1);
            input.Advance(s1.Length);
            ServerScheme = RtmpHandshake.WriteC2(s1, output.GetSpan(RtmpHandshake.PacketSize)[..RtmpHandshake.PacketSize]);
            output.Advance(RtmpHandshake.PacketSize);
            HasAnswered = true;
        }

        var skip = (int)Math.Min(_secondLeft, input.Remaining);
        input.Advance(skip);
        _secondLeft -= skip;
        return null;
    }
}
