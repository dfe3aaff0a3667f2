using Millrace.Streams.Hls;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>Bytes that are ready to be sent: either in memory, or a run of a segment's blocks, which have to be pinned while they are sent.</summary>
internal readonly record struct MediaBody(ReadOnlyMemory<byte> Memory, HlsSegment? Segment, long Position, long Length)
{
    public static MediaBody Of(byte[] bytes) => new(bytes, null, 0, bytes.Length);

    public static MediaBody Of(HlsSegment segment, long position, long length) => new(default, segment, position, length);

    /// <summary>A part of it (RFC 9110 14.1.2).</summary>
    public MediaBody Slice(long from, long length) => Segment is null
        ? new MediaBody(Memory.Slice((int)from, (int)length), null, 0, length)
        : new MediaBody(default, Segment, Position + from, length);

    /// <summary>Describes its first bytes, as many as there are entries for. Returns how many bytes.</summary>
    /// <param name="runs">Entries for a scatter send.</param>
    /// <param name="count">How many of them are used.</param>
    /// <param name="memory">Where <see cref="Memory"/> is fixed.</param>
    /// <param name="limit">Most bytes.</param>
    public unsafe long Fill(Span<WireRun> runs, ref int count, byte* memory, long limit)
    {
        var filled = 0L;
        limit = Math.Min(limit, Length);
        while (count < runs.Length && filled < limit)
        {
            var length = (int)limit;
            var address = Segment is null ? memory : Segment.Bytes.Locate(Position + filled, limit - filled, out length);
            runs[count++] = new WireRun { Address = address, Length = (nuint)length };
            filled += length;
        }

        return filled;
    }
}
