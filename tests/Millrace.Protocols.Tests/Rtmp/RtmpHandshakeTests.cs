using System.Buffers;
using Millrace.Protocols.Rtmp;

namespace Millrace.Protocols.Tests.Rtmp;

public sealed class RtmpHandshakeTests
{
    [Theory]
    [InlineData("ffmpeg-publish.bin", (int)RtmpDigestScheme.DigestFirst)]
    [InlineData("ffprobe-play.bin", (int)RtmpDigestScheme.DigestFirst)]
    [InlineData("nginx-push.bin", (int)RtmpDigestScheme.DigestFirst)]
    [InlineData("gst-rtmp2sink.bin", (int)RtmpDigestScheme.None)]
    public void The_digest_of_a_real_client_is_found(string file, int scheme)
    {
        var c1 = RtmpFeed.Capture(file).AsSpan(1, RtmpHandshake.PacketSize);

        RtmpHandshake.DetectClient(c1).ShouldBe((RtmpDigestScheme)scheme);
    }

    [Theory]
    [InlineData((int)RtmpDigestScheme.None)]
    [InlineData((int)RtmpDigestScheme.DigestFirst)]
    [InlineData((int)RtmpDigestScheme.KeyFirst)]
    public void Both_sides_sign_the_other_ones_digest(int scheme)
    {
        var c1 = new byte[RtmpHandshake.PacketSize];
        var s1 = new byte[RtmpHandshake.PacketSize];
        var s2 = new byte[RtmpHandshake.PacketSize];
        var c2 = new byte[RtmpHandshake.PacketSize];
        for (var round = 0; round < 200; round++)
        {
            RtmpHandshake.WriteC1(c1, (RtmpDigestScheme)scheme);
            RtmpHandshake.WriteS1S2(c1, s1, s2).ShouldBe((RtmpDigestScheme)scheme);
            RtmpHandshake.WriteC2(s1, c2).ShouldBe((RtmpDigestScheme)scheme);
            if (scheme == (int)RtmpDigestScheme.None)
            {
                s2.ShouldBe(c1);
                c2.ShouldBe(s1);
                s1.AsSpan(4, 4).ToArray().ShouldBe(new byte[4]);
                continue;
            }

            RtmpHandshake.IsSigned(c1, (RtmpDigestScheme)scheme, s2, byServer: true).ShouldBeTrue();
            RtmpHandshake.IsSigned(s1, (RtmpDigestScheme)scheme, c2, byServer: false).ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData(6, "RTMPE")]
    [InlineData((byte)'G', "HTTP")]
    [InlineData(0x16, "TLS")]
    [InlineData(0, "version 0")]
    public void Another_first_byte_is_refused_with_its_reason(byte first, string reason)
    {
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);

        feed.Push([first]);

        session.IsClosed.ShouldBeTrue();
        session.CloseReason!.ShouldContain(reason);
        feed.Reply.WrittenCount.ShouldBe(0);
    }

    [Fact]
    public void A_damaged_digest_falls_back_to_the_plain_handshake()
    {
        var bytes = RtmpFeed.Capture("ffmpeg-publish.bin")[..1537];
        bytes[1000] ^= 0x40;
        using var session = new RtmpServerSession(RtmpOptions.Default, 0);
        var feed = new RtmpFeed(session);

        feed.Push(bytes);

        feed.Reply.WrittenCount.ShouldBe(3073);
        feed.Reply.WrittenSpan[1537..].SequenceEqual(bytes.AsSpan(1)).ShouldBeTrue();
    }
}
