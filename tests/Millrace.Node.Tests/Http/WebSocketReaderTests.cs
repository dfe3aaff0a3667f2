using Millrace.Node.Http;

namespace Millrace.Node.Tests.Http;

public sealed class WebSocketReaderTests
{
    private const byte Text = 0x81;
    private const byte FirstOfText = 0x01;
    private const byte Continuation = 0x80;
    private const byte Close = 0x88;
    private const byte Ping = 0x89;
    private const byte Pong = 0x8A;

    [Fact]
    public void Pings_between_other_frames_are_answered_however_the_bytes_are_cut()
    {
        byte[] input =
        [
            .. Frame(Text, new byte[300]), .. Frame(Ping, "one"u8), .. Frame(FirstOfText, new byte[70_000]), .. Frame(Ping, ""u8),
            .. Frame(Continuation, new byte[125]), .. Frame(Pong, "x"u8), .. Frame(Ping, new byte[125]), .. Frame(Close, [3, 232, (byte)'b', (byte)'y', (byte)'e']),
        ];
        byte[] expected =
        [
            Pong, 3, .. "one"u8, Pong, 0, Pong, 125, .. new byte[125], Close, 5, 3, 232, .. "bye"u8,
        ];

        Read(input, input.Length, out var whole).ShouldBe(expected);
        whole.IsClosing.ShouldBeTrue();
        Read(input, 1, out _).ShouldBe(expected);
        for (var cut = 1; cut < 600; cut += 7)
            Read(input, cut, out _).ShouldBe(expected);
    }

    [Fact]
    public void Nothing_is_read_after_a_close()
    {
        byte[] input = [.. Frame(Close, []), .. Frame(Ping, "late"u8)];

        Read(input, input.Length, out _).ShouldBe([Close, 0]);
    }

    [Theory]
    [InlineData(new byte[] { Text, 1, (byte)'x' }, "an unmasked WebSocket frame")]
    [InlineData(new byte[] { Ping, 0xFE, 0, 126, 0, 0, 0, 0 }, "a malformed WebSocket frame")]
    [InlineData(new byte[] { Text, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, "a malformed WebSocket frame")]
    public void A_frame_that_breaks_the_rules_is_an_error(byte[] input, string error)
    {
        Read(input, input.Length, out var reader).ShouldBeEmpty();
        reader.Error.ShouldBe(error);
        Read(input, 1, out reader).ShouldBeEmpty();
        reader.Error.ShouldBe(error);
    }

    private static byte[] Frame(byte first, ReadOnlySpan<byte> payload)
    {
        byte[] mask = [0x37, 0xFA, 0x21, 0x3D];
        var frame = new List<byte> { first };
        switch (payload.Length)
        {
            case < 126:
                frame.Add((byte)(0x80 | payload.Length));
                break;
            case <= ushort.MaxValue:
                frame.AddRange([0xFE, (byte)(payload.Length >> 8), (byte)payload.Length]);
                break;
            default:
                frame.AddRange([0xFF, 0, 0, 0, 0, (byte)(payload.Length >> 24), (byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length]);
                break;
        }

        frame.AddRange(mask);
        for (var i = 0; i < payload.Length; i++)
            frame.Add((byte)(payload[i] ^ mask[i & 3]));
        return [.. frame];
    }

    private static byte[] Read(byte[] input, int step, out WebSocketReader reader)
    {
        reader = new WebSocketReader();
        var replies = new List<byte>();
        for (var offset = 0; offset < input.Length; offset += step)
        {
            var piece = input.AsSpan(offset, Math.Min(step, input.Length - offset)).ToArray().AsSpan();
            while (reader.TryRead(ref piece, out var reply))
                replies.AddRange(reply.ToArray());
        }

        return [.. replies];
    }
}
