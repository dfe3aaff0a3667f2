using System.Buffers;
using Millrace.Media.Flv;
using Millrace.Protocols.Rtmp;

namespace Millrace.Fuzz;

/// <summary>Real bytes of this repository, taken apart into what each target starts from.</summary>
internal static class Corpus
{
    /// <summary>C0, C1 and C2 (RTMP 1.0, 5.2).</summary>
    public const int HandshakeLength = 1 + (2 * RtmpHandshake.PacketSize);

    public static string Root { get; } = FindRoot();

    private static string Media => Path.Combine(Root, "tests", "Media");

    /// <summary>What clients sent, from C0 on.</summary>
    public static IReadOnlyList<byte[]> Captures { get; } =
        [.. Directory.GetFiles(Path.Combine(Media, "rtmp"), "*.bin").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    /// <summary>The head of the sample clip: metadata, sequence headers, the first pictures and sounds.</summary>
    public static byte[] FlvHead { get; } = ReadHead(24 * 1024);

    public static IReadOnlyList<(FlvTagType Type, uint Timestamp, byte[] Body)> FlvTags { get; } = SplitTags(FlvHead);

    /// <summary>Some seconds of the clip.</summary>
    public static IReadOnlyList<(FlvTagType Type, uint Timestamp, byte[] Body)> FlvClip { get; } = SplitTags(ReadHead(400 * 1024));

    /// <summary>Messages of the captures that are of one of the types.</summary>
    public static IReadOnlyList<byte[]> Messages(params RtmpMessageType[] types)
    {
        var found = new List<byte[]>();
        foreach (var capture in Captures)
        {
            using var chunks = new RtmpChunkReader(RtmpOptions.Default);
            var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(capture));
            reader.Advance(HandshakeLength);
            while (chunks.TryRead(ref reader, out var message))
            {
                if (message.Type == RtmpMessageType.SetChunkSize && message.Payload.Length >= 4)
                    chunks.ChunkSize = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(message.Payload.Span);
                if (types.Contains(message.Type))
                    found.Add(message.Payload.ToArray());
            }
        }

        return found;
    }

    private static byte[] ReadHead(int length)
    {
        using var file = File.OpenRead(Path.Combine(Media, "bbb-360p.flv"));
        var head = new byte[length];
        file.ReadExactly(head);
        return head;
    }

    private static List<(FlvTagType Type, uint Timestamp, byte[] Body)> SplitTags(byte[] bytes)
    {
        var tags = new List<(FlvTagType, uint, byte[])>();
        var reader = new FlvTagReader();
        ReadOnlySpan<byte> rest = bytes;
        while (reader.TryRead(rest, out var consumed, out var tag))
        {
            tags.Add((tag.Type, tag.TimestampMs, tag.Body.ToArray()));
            rest = rest[consumed..];
        }

        return tags;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException("Millrace.slnx is in no folder above " + AppContext.BaseDirectory);
    }
}
