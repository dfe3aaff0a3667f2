using System.Buffers.Binary;
using System.Text;

namespace Millrace.Media.Tests.Mp4;

/// <summary>A box as ISO/IEC 14496-12 4.2 describes it; written from the standard, not from the writer under test.</summary>
internal sealed record Box(string Type, byte[] Body)
{
    private static readonly string[] Containers = ["moov", "trak", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf"];

    /// <summary>Those of a container; none otherwise.</summary>
    public IReadOnlyList<Box> Children { get; } = Containers.Contains(Type) ? Read(Body) : [];

    /// <summary>All boxes, which must fill the bytes exactly.</summary>
    public static List<Box> Read(ReadOnlySpan<byte> bytes)
    {
        var boxes = new List<Box>();
        while (!bytes.IsEmpty)
        {
            int size = (int)BinaryPrimitives.ReadUInt32BigEndian(bytes);
            size.ShouldBeInRange(8, bytes.Length);
            boxes.Add(new Box(Encoding.ASCII.GetString(bytes[4..8]), bytes[8..size].ToArray()));
            bytes = bytes[size..];
        }

        return boxes;
    }

    /// <summary>The one box at the path of types, parted by slashes.</summary>
    public static Box Find(IReadOnlyList<Box> boxes, string path)
    {
        string[] types = path.Split('/');
        Box found = boxes.Single(box => box.Type == types[0]);
        return types.Length == 1 ? found : Find(found.Children, path[(types[0].Length + 1)..]);
    }

    /// <summary>The tree of types, for example <c>moof(mfhd traf(tfhd tfdt trun))</c>.</summary>
    public static string Outline(IReadOnlyList<Box> boxes) =>
        string.Join(' ', boxes.Select(static box => box.Children.Count == 0 ? box.Type : $"{box.Type}({Outline(box.Children)})"));

    public uint UInt32(int at) => BinaryPrimitives.ReadUInt32BigEndian(Body.AsSpan(at));

    public ulong UInt64(int at) => BinaryPrimitives.ReadUInt64BigEndian(Body.AsSpan(at));
}
