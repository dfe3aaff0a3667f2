using System.Buffers.Binary;
using System.Text;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hls;

/// <summary>Turns a fragmented file into the messages of Enhanced RTMP v2 (ExVideoTagHeader, ExAudioTagHeader).</summary>
internal static class EnhancedTags
{
    private const int SequenceStart = 0, CodedFrames = 1, KeyFrame = 1, InterFrame = 2;
    private const int FullBoxFields = 4;

    /// <summary>All messages in the order of their times.</summary>
    public static List<MediaTag> Of(FragmentedFile file)
    {
        var tags = new List<MediaTag>();
        foreach (var track in file.Tracks)
        {
            if (Start(track) is { Length: > 0 } start)
                tags.Add(new MediaTag(track.IsVideo, 0, [.. Header(track, SequenceStart, isKey: true), .. start]));
            foreach (var sample in file.Samples.Where(sample => sample.Track == track.Id))
            {
                var (dts, pts) = (Millis(sample.Dts, track), Millis(sample.Pts, track));
                tags.Add(new MediaTag(track.IsVideo, dts, [.. Header(track, CodedFrames, sample.IsSync), .. CompositionTime(track, pts - dts), .. sample.Data.Span]));
            }
        }

        return [.. tags.OrderBy(tag => tag.Millis)];
    }

    private static uint Millis(long ticks, FileTrack track) => (uint)Math.Round(ticks * 1_000.0 / track.Timescale);

    private static byte[] Header(FileTrack track, int packetType, bool isKey)
    {
        const int ExHeader = 8, ExAudio = 9;
        var first = track.IsVideo ? ((ExHeader | (isKey ? KeyFrame : InterFrame)) << 4) | packetType : (ExAudio << 4) | packetType;
        return [(byte)first, .. Encoding.ASCII.GetBytes(track.Entry.Type switch { "hev1" => "hvc1", var type => type })];
    }

    /// <summary>Only HEVC has one here.</summary>
    private static byte[] CompositionTime(FileTrack track, uint millis) =>
        track.Entry.Type is "hvc1" or "hev1" ? [(byte)(millis >> 16), (byte)(millis >> 8), (byte)millis] : [];

    private static byte[] Start(FileTrack track) => track.Entry.Type switch
    {
        "hvc1" or "hev1" => track.Configuration("hvcC"),
        "av01" => track.Configuration("av1C"),
        "vp09" => track.Configuration("vpcC")[FullBoxFields..],
        "Opus" => OpusHead(track.Configuration("dOps")),
        "fLaC" => [.. "fLaC"u8, .. track.Configuration("dfLa")[FullBoxFields..]],
        _ => [],
    };

    /// <summary>RFC 7845 5.1 out of the box of the same fields, which has other byte order and version.</summary>
    private static byte[] OpusHead(byte[] box)
    {
        byte[] head = [.. "OpusHead"u8, 1, .. box[1..]];
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(10), BinaryPrimitives.ReadUInt16BigEndian(box.AsSpan(2)));
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(12), BinaryPrimitives.ReadUInt32BigEndian(box.AsSpan(4)));
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(16), BinaryPrimitives.ReadUInt16BigEndian(box.AsSpan(8)));
        return head;
    }
}
