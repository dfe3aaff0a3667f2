using System.Buffers.Binary;

namespace Millrace.Conformance.Mp4;

/// <summary>What a Media Initialization Section says of one track.</summary>
/// <param name="Id">track_ID.</param>
/// <param name="Timescale">Ticks a second.</param>
/// <param name="Handler">"vide", "soun", ….</param>
/// <param name="Format">The sample entry: "avc1", "mp4a", ….</param>
/// <param name="Width">Pixels; 0 for other than video.</param>
/// <param name="Height">Pixels; 0 for other than video.</param>
/// <param name="NalLength">Bytes of the length before each NAL unit; 0 when the format has none.</param>
internal sealed record InitTrack(uint Id, uint Timescale, string Handler, string Format, int Width, int Height, int NalLength)
{
    public uint DefaultDuration { get; init; }

    public uint DefaultSize { get; init; }

    public uint DefaultFlags { get; init; }

    public bool IsVideo => Handler == "vide";

    /// <summary>What must stay the same unless a discontinuity is announced.</summary>
    public string Encoding => $"{Handler}/{Format}/{Width}x{Height}/{Timescale}";
}

/// <summary>A Media Initialization Section (RFC 8216bis §3.1.1): ftyp and moov.</summary>
internal sealed record InitSection(IReadOnlyList<InitTrack> Tracks)
{
    public string Encoding => string.Join(' ', Tracks.Select(track => track.Encoding));

    public static InitSection Parse(ReadOnlySpan<byte> bytes)
    {
        var moov = BoxReader.Find(bytes, "moov");
        if (moov.IsEmpty)
            throw new Mp4Exception("no moov");
        var tracks = new List<InitTrack>();
        var reader = new BoxReader(moov);
        while (reader.Next())
        {
            if (reader.Type == "trak")
                tracks.Add(Track(reader.Body));
        }

        for (var i = 0; i < tracks.Count; i++)
            tracks[i] = WithDefaults(tracks[i], bytes);
        return new(tracks);
    }

    private static InitTrack Track(ReadOnlySpan<byte> trak)
    {
        var tkhd = BoxReader.Find(trak, "tkhd");
        var mdia = BoxReader.Find(trak, "mdia");
        var mdhd = BoxReader.Find(mdia, "mdhd");
        var handler = Encoding4(BoxReader.Find(mdia, "hdlr"), 8);
        var stsd = BoxReader.Find(BoxReader.Find(BoxReader.Find(mdia, "minf"), "stbl"), "stsd");
        var id = BoxReader.U32(tkhd, tkhd.Length > 0 && tkhd[0] == 1 ? 20 : 12);
        var timescale = BoxReader.U32(mdhd, mdhd.Length > 0 && mdhd[0] == 1 ? 20 : 12);
        if (timescale == 0)
            throw new Mp4Exception("a timescale of 0");
        if (stsd.Length < 16)
            throw new Mp4Exception("no sample entry");
        var entry = new BoxReader(stsd[8..]);
        entry.Next();
        var video = handler == "vide" && entry.Body.Length >= 78;
        var (width, height) = video ? (BinaryPrimitives.ReadUInt16BigEndian(entry.Body[24..]), BinaryPrimitives.ReadUInt16BigEndian(entry.Body[26..])) : (0, 0);
        return new(id, timescale, handler, entry.Type, width, height, video ? NalLengthOf(entry.Body[78..]) : 0);
    }

    private static int NalLengthOf(ReadOnlySpan<byte> boxes)
    {
        var avc = BoxReader.Find(boxes, "avcC");
        if (avc.Length > 4)
            return (avc[4] & 3) + 1;
        var hevc = BoxReader.Find(boxes, "hvcC");
        return hevc.Length > 21 ? (hevc[21] & 3) + 1 : 0;
    }

    private static InitTrack WithDefaults(InitTrack track, ReadOnlySpan<byte> bytes)
    {
        var reader = new BoxReader(BoxReader.Find(BoxReader.Find(bytes, "moov"), "mvex"));
        while (reader.Next())
        {
            if (reader.Type == "trex" && BoxReader.U32(reader.Body, 4) == track.Id)
            {
                return track with
                {
                    DefaultDuration = BoxReader.U32(reader.Body, 12),
                    DefaultSize = BoxReader.U32(reader.Body, 16),
                    DefaultFlags = BoxReader.U32(reader.Body, 20),
                };
            }
        }

        return track;
    }

    private static string Encoding4(ReadOnlySpan<byte> bytes, int at) =>
        at + 4 <= bytes.Length ? System.Text.Encoding.Latin1.GetString(bytes.Slice(at, 4)) : throw new Mp4Exception("no handler");
}
