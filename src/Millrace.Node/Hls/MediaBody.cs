using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>Bytes that are ready to be sent: either in memory, or a run of a segment's blocks, which have to be pinned while they are sent.</summary>
internal readonly record struct MediaBody(ReadOnlyMemory<byte> Memory, HlsSegment? Segment, long Position, long Length)
{
    public static MediaBody Of(byte[] bytes) => new(bytes, null, 0, bytes.Length);

    public static MediaBody Of(HlsSegment segment, long position, long length) => new(default, segment, position, length);

    /// <summary>A part of it (RFC 9110 14.1.2).</summary>
    public MediaBody Slice(long from, long length) => Segment is null
        ? new MediaBody(Memory.Slice((int)from, (int)length), null, 0, length)
        : new MediaBody(default, Segment, Position + from, length);
}
