using System.Buffers.Binary;
using System.Text;

namespace Millrace.EndToEnd.Hls;

/// <summary>One box of an ISO base media file (ISO/IEC 14496-12 4.2), by its place in the file's bytes.</summary>
/// <param name="File">All bytes.</param>
/// <param name="Start">Where its size field is.</param>
/// <param name="End">Where the next box begins.</param>
internal readonly record struct Box(byte[] File, int Start, int End)
{
    private const int HeaderLength = 8;

    public string Type => Encoding.Latin1.GetString(File, Start + 4, 4);

    /// <summary>Behind size and type; of a full box version and flags come first.</summary>
    public ReadOnlySpan<byte> Payload => File.AsSpan(Start + HeaderLength, End - Start - HeaderLength);

    public static List<Box> Parse(byte[] file) => Parse(file, 0, file.Length);

    public uint UInt32(int offset) => BinaryPrimitives.ReadUInt32BigEndian(Payload[offset..]);

    public ulong UInt64(int offset) => BinaryPrimitives.ReadUInt64BigEndian(Payload[offset..]);

    /// <summary>The boxes in it.</summary>
    /// <param name="skip">Bytes of its own fields before them.</param>
    public List<Box> Children(int skip = 0) => Parse(File, Start + HeaderLength + skip, End);

    /// <summary>The only box at the end of a path of types.</summary>
    public Box Find(params ReadOnlySpan<string> path)
    {
        var box = this;
        foreach (var type in path)
            box = box.Children().Single(child => child.Type == type);
        return box;
    }

    private static List<Box> Parse(byte[] file, int start, int end)
    {
        var boxes = new List<Box>();
        while (start < end)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(start));
            length.ShouldBeInRange((uint)HeaderLength, (uint)(end - start), $"size of the box at {start}");
            boxes.Add(new Box(file, start, start + (int)length));
            start += (int)length;
        }

        return boxes;
    }
}
