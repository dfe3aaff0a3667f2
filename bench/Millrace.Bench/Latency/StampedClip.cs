using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Millrace.Bench.Media;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Latency;

/// <summary>The clip's tags with room for a send time: 16 hexadecimal digits at the end of each picture's last NAL unit, which no server decodes.</summary>
internal sealed class StampedClip
{
    private const int StampLength = 16;
    private const int LegacyVideoHeader = 5;

    private StampedClip(List<Tag> configs, List<Tag> frames, uint periodMs) => (Configs, Frames, PeriodMs) = (configs, frames, periodMs);

    public IReadOnlyList<Tag> Configs { get; }
    public IReadOnlyList<Tag> Frames { get; }
    public uint PeriodMs { get; }

    public static StampedClip Load(string path)
    {
        var reader = new FlvReader();
        reader.Append(File.ReadAllBytes(path));
        List<Tag> configs = [], frames = [];
        while (reader.TryRead(out var tag))
        {
            if (!tag.IsMedia) continue;
            var body = TagBody.Parse(tag.Type, tag.Payload.Span);
            if (body.IsConfig) configs.Add(new Tag(tag.Type, 0, tag.Payload.ToArray()));
            else if (!body.Coded.IsEmpty) frames.Add(new Tag(tag.Type, tag.Timestamp, tag.Type == MediaMessage.Video ? WithRoom(tag.Payload.Span) : tag.Payload.ToArray()));
        }

        uint[] pictures = [.. frames.Where(static f => f.Type == MediaMessage.Video).Select(static f => f.Timestamp)];
        uint period = pictures[^1] - pictures[0] + ((pictures[^1] - pictures[0]) / (uint)(pictures.Length - 1));
        uint first = frames.Min(static f => f.Timestamp);
        return new StampedClip(configs, [.. frames.Where(f => f.Timestamp - first < period).Select(f => f with { Timestamp = f.Timestamp - first })], period);
    }

    /// <summary>Writes the time now (Stopwatch ticks) into a picture.</summary>
    public static void Stamp(byte[] payload) => Encoding.ASCII.GetBytes(Stopwatch.GetTimestamp().ToString("x16", CultureInfo.InvariantCulture), payload.AsSpan(^StampLength..));

    public static bool TryReadStamp(ReadOnlySpan<byte> payload, out long ticks)
    {
        ticks = 0;
        return payload.Length > StampLength && long.TryParse(payload[^StampLength..], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ticks);
    }

    private static byte[] WithRoom(ReadOnlySpan<byte> payload)
    {
        byte[] grown = new byte[payload.Length + StampLength];
        payload.CopyTo(grown);
        int at = LegacyVideoHeader, last = at;
        while (at + 4 <= payload.Length)
        {
            last = at;
            at += 4 + BinaryPrimitives.ReadInt32BigEndian(payload[at..]);
        }

        BinaryPrimitives.WriteInt32BigEndian(grown.AsSpan(last), BinaryPrimitives.ReadInt32BigEndian(payload[last..]) + StampLength);
        return grown;
    }

    internal sealed record Tag(byte Type, uint Timestamp, byte[] Payload);
}
