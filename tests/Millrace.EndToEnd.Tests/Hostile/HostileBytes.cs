using System.Text;
using Millrace.EndToEnd.Harness;
using Millrace.Media.Flv;
using Millrace.Protocols.Rtmp;
using Millrace.Protocols.Tests.Rtmp;

namespace Millrace.EndToEnd.Hostile;

/// <summary>What hostile peers send.</summary>
internal static class HostileBytes
{
    public static byte[] Capture { get; } = File.ReadAllBytes(Path.Combine(Repository.TestMedia, "rtmp", "ffmpeg-publish.bin"));

    public static byte[] Handshake() => new RtmpBytes().Handshake().ToArray();

    public static byte[] Connected(Action<RtmpBytes> more)
    {
        var bytes = new RtmpBytes().Handshake().Connect();
        more(bytes);
        return bytes.ToArray();
    }

    public static byte[] Random(int length)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A connect whose command object is objects inside objects.</summary>
    public static byte[] DeepConnect(int depth)
    {
        var body = new List<byte>([0x02, 0, 7, .. "connect"u8, 0, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0]);
        for (var i = 0; i < depth; i++)
            body.AddRange([0x03, 0, 1, (byte)'a']);
        var bytes = new RtmpBytes().Handshake();
        bytes.Chunks.Write(bytes.Output, 3, RtmpMessageType.CommandAmf0, 0, 0, body.ToArray());
        return bytes.ToArray();
    }

    /// <summary>The clip's messages with times that jump over all of 32 bits.</summary>
    public static byte[] InsaneTimes(string name) => Connected(bytes =>
    {
        bytes.Publish(name);
        var random = new Random(3);
        ReadOnlySpan<byte> file = File.ReadAllBytes(Path.Combine(Repository.TestMedia, "bbb-360p.flv"));
        var reader = new FlvTagReader();
        while (reader.TryRead(file, out var consumed, out var tag))
        {
            var time = random.Next(3) switch { 0 => tag.TimestampMs, 1 => (uint)random.NextInt64(uint.MaxValue), _ => uint.MaxValue - (uint)random.Next(3) };
            bytes.Media((RtmpMessageType)tag.Type, time, tag.Body.ToArray());
            file = file[consumed..];
        }
    });

    /// <summary>A message header that claims 16 MB less one byte.</summary>
    public static byte[] LengthClaim() => [0x04, 0, 0, 0, 0xFF, 0xFF, 0xFF, 9, 1, 0, 0, 0, .. new byte[64]];

    public static byte[] ChunkSize(uint size) => [0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, (byte)(size >> 24), (byte)(size >> 16), (byte)(size >> 8), (byte)size];

    /// <summary>PingRequests (user control event 6), each of which wants an answer.</summary>
    public static byte[] Pings(int count)
    {
        byte[] ping = [0x02, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0, 6, 1, 2, 3, 4];
        return [.. Enumerable.Repeat(ping, count).SelectMany(bytes => bytes)];
    }

    public static byte[] Http(string text) => Encoding.ASCII.GetBytes(text);
}
