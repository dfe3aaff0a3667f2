namespace Millrace.EndToEnd.Hls;

/// <summary>A sample of a fragmented file; times in ticks of its track.</summary>
internal sealed record FileSample(uint Track, long Dts, long Pts, long Duration, bool IsSync, ReadOnlyMemory<byte> Data);

/// <summary>A track of a fragmented file.</summary>
/// <param name="Id">track_ID.</param>
/// <param name="Timescale">Ticks per second.</param>
/// <param name="Entry">The sample entry: its type says the codec.</param>
internal sealed record FileTrack(uint Id, uint Timescale, Box Entry)
{
    // Fields of a sample entry before its boxes: 8 of all, then those of a picture or of sound (12.1.3, 12.2.3).
    private const int VideoFields = 8 + 70, AudioFields = 8 + 20;

    public bool IsVideo => Entry.Type is "avc1" or "hvc1" or "hev1" or "av01" or "vp09";

    /// <summary>The payload of a box in the sample entry, such as avcC.</summary>
    public byte[] Configuration(string box) => Entry.Children(IsVideo ? VideoFields : AudioFields).Single(child => child.Type == box).Payload.ToArray();
}

/// <summary>
/// Samples as the boxes of a fragmented file say (ISO/IEC 14496-12 8.8): tfhd, tfdt and trun. Written for the tests, so that
/// it shares no mistake with what it checks.
/// </summary>
internal sealed class FragmentedFile
{
    private const uint NonSync = 1u << 16;

    public FragmentedFile(byte[] bytes)
    {
        Dictionary<uint, Box> defaults = [];
        foreach (var box in Box.Parse(bytes))
        {
            if (box.Type == "moov" && Tracks.Count == 0)
            {
                Tracks = [.. box.Children().Where(child => child.Type == "trak").Select(ReadTrack)];
                defaults = box.Find("mvex").Children().Where(child => child.Type == "trex").ToDictionary(trex => trex.UInt32(4));
            }
            else if (box.Type == "moof")
            {
                foreach (var traf in box.Children().Where(child => child.Type == "traf"))
                    ReadFragment(box, traf, defaults);
            }
        }
    }

    public List<FileTrack> Tracks { get; } = [];

    /// <summary>In the order of the file.</summary>
    public List<FileSample> Samples { get; } = [];

    private static FileTrack ReadTrack(Box trak)
    {
        var media = trak.Find("mdia", "mdhd");
        var isLong = media.Payload[0] == 1;
        return new FileTrack(
            trak.Find("tkhd").UInt32(trak.Find("tkhd").Payload[0] == 1 ? 20 : 12),
            media.UInt32(isLong ? 20 : 12),
            trak.Find("mdia", "minf", "stbl", "stsd").Children(skip: 8).Single());
    }

    private void ReadFragment(Box moof, Box traf, Dictionary<uint, Box> defaults)
    {
        var header = traf.Find("tfhd");
        var (flags, track) = (header.UInt32(0), header.UInt32(4));
        (flags & 0x02_0001).ShouldBe(0x02_0000u, "default-base-is-moof, no base_data_offset");
        var field = 8;
        uint Next(uint flag, int trexField) => (flags & flag) == 0 ? defaults[track].UInt32(trexField) : header.UInt32((field += 4) - 4);
        _ = (flags & 0x02) != 0 ? field += 4 : field;
        var (duration, size, sampleFlags) = (Next(0x08, 12), Next(0x10, 16), Next(0x20, 20));
        var dts = traf.Find("tfdt") is var time && time.Payload[0] == 1 ? (long)time.UInt64(4) : time.UInt32(4);
        foreach (var run in traf.Children().Where(child => child.Type == "trun"))
            dts = ReadRun(moof, run, track, dts, (duration, size, sampleFlags));
    }

    /// <summary>Returns where the next run begins.</summary>
    private long ReadRun(Box moof, Box run, uint track, long dts, (uint Duration, uint Size, uint Flags) usual)
    {
        var (flags, count, at) = (run.UInt32(0) & 0xFF_FFFF, run.UInt32(4), 8);
        uint Next() => run.UInt32((at += 4) - 4);
        uint Field(uint flag, uint otherwise) => (flags & flag) != 0 ? Next() : otherwise;
        var data = moof.Start + (int)Field(0x001, 0);
        var firstFlags = Field(0x004, usual.Flags);
        for (var i = 0; i < count; i++)
        {
            var (duration, size) = (Field(0x100, usual.Duration), (int)Field(0x200, usual.Size));
            var sampleFlags = Field(0x400, i == 0 ? firstFlags : usual.Flags);
            var offset = (int)Field(0x800, 0);
            Samples.Add(new FileSample(track, dts, dts + offset, duration, (sampleFlags & NonSync) == 0, moof.File.AsMemory(data, size)));
            data += size;
            dts += duration;
        }

        return dts;
    }
}
