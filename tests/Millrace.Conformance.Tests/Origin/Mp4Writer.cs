using System.Buffers.Binary;

namespace Millrace.Conformance.Tests.Origin;

/// <summary>The smallest fragmented MP4 that means something: one track, one sample size.</summary>
internal static class Mp4Writer
{
    public const int VideoTimescale = 90_000;
    public const int AudioTimescale = 48_000;

    public static byte[] Init(bool video, int width = 640)
    {
        var handler = video ? "vide" : "soun";
        var entry = video
            ? Box("avc1", Zeros(24), U16(width), U16(360), Zeros(50), Box("avcC", [1, 66, 0, 30, 0xFF, 0xE0, 0]))
            : Box("mp4a", Zeros(28));
        var stbl = Box("stbl", Box("stsd", U32(0), U32(1), entry));
        var mdia = Box("mdia", Box("mdhd", U32(0), Zeros(8), U32(video ? VideoTimescale : AudioTimescale), Zeros(8)), Box("hdlr", Zeros(8), Text(handler), Zeros(13)), Box("minf", stbl));
        var trak = Box("trak", Box("tkhd", U32(0), Zeros(8), U32(1), Zeros(68)), mdia);
        var mvex = Box("mvex", Box("trex", U32(0), U32(1), U32(1), U32(0), U32(0), U32(0)));
        return [.. Box("ftyp", Text("iso6"), U32(0)), .. Box("moov", trak, mvex)];
    }

    /// <summary>A fragment of samples of equal duration; those of video are NAL units, the first an IDR picture where it says so.</summary>
    public static byte[] Fragment(bool video, long decodeTime, int samples, int duration, bool key, bool flaggedKey)
    {
        var sample = video ? 40 : 16;
        var data = new byte[samples * sample];
        var table = new List<byte>();
        for (var i = 0; i < samples; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(i * sample), sample - 4);
            data[(i * sample) + 4] = (byte)(key && i == 0 ? 0x65 : 0x41);
            BinaryPrimitives.WriteInt64BigEndian(data.AsSpan((i * sample) + 5), decodeTime + i);
            table.AddRange([.. U32(duration), .. U32(sample), .. U32(!video || (flaggedKey && i == 0) ? 0x02000000 : 0x01010000)]);
        }

        // The offset counts from the moof box to the first byte after mdat's header; all boxes before the run have a fixed size.
        byte[] Moof(int offset) => Box("moof", Box("mfhd", U32(0), U32(1)), Box("traf", Box("tfhd", U32(0x020000), U32(1)), Box("tfdt", U32(0x01000000), U64(decodeTime)), Box("trun", U32(0x000701), U32(samples), U32(offset), [.. table])));
        return [.. Moof(Moof(0).Length + 8), .. Box("mdat", data)];
    }

    public static byte[] Box(string type, params byte[][] parts)
    {
        var body = parts.SelectMany(part => part).ToArray();
        return [.. U32(body.Length + 8), .. Text(type), .. body];
    }

    public static byte[] U32(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] U64(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] U16(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Zeros(int count) => new byte[count];

    private static byte[] Text(string text) => System.Text.Encoding.Latin1.GetBytes(text);
}
