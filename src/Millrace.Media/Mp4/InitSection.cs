namespace Millrace.Media.Mp4;

/// <summary>
/// The initialization section of a fragmented file (ISO/IEC 14496-12; CMAF header of ISO/IEC 23000-19 7.3.1) of one track.
/// </summary>
public static class InitSection
{
    /// <summary>track_ID of the only track.</summary>
    internal const int TrackId = 1;

    /// <summary>More bytes than all boxes have without the decoder configuration, which are less than 700.</summary>
    private const int MaxOverhead = 1024;

    /// <summary>The codec has a sample entry here. False for data.</summary>
    public static bool CanCarry(Codec codec) => CodecInfo.KindOf(codec) != TrackKind.Data;

    /// <summary>
    /// Writes ftyp and moov. There is no edit list and no duration: presentation begins where the first fragment's tfdt says.
    /// </summary>
    /// <param name="config">The track's parameters.</param>
    /// <param name="timescale">Ticks per second of the fragments' times.</param>
    /// <param name="language">ISO 639-2/T or BCP 47; "und" when it is null or not known.</param>
    /// <exception cref="ArgumentException">The codec is one that <see cref="CanCarry"/> refuses.</exception>
    public static byte[] Write(Config config, int timescale, string? language)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(timescale);
        if (!CanCarry(config.Codec))
            throw new ArgumentException($"{CodecInfo.NameOf(config.Codec)} has no sample entry", nameof(config));

        byte[] bytes = new byte[MaxOverhead + config.InitData.Length + config.SampleEntryData.Length];
        var writer = new BoxWriter(bytes);
        WriteFileType(ref writer, config.Codec);
        int moov = writer.Begin("moov"u8);
        WriteMovieHeader(ref writer, timescale);
        int trak = writer.Begin("trak"u8);
        WriteTrackHeader(ref writer, config);
        WriteMedia(ref writer, config, timescale, language);
        writer.End(trak);
        WriteExtends(ref writer);
        writer.End(moov);
        return bytes[..writer.Length];
    }

    /// <summary>
    /// The RFC 6381 string for the CODECS attribute of HLS and for Media Source Extensions. It differs from
    /// <see cref="Config.CodecString"/> where the form in MP4 does.
    /// </summary>
    public static string CodecString(Config config) => config.Codec switch
    {
        Codec.Vp9 => Vp9String(config),
        // The object type of esds (RFC 6381 3.3). Chromium plays MP3 only as a file of its own, by whatever name; Safari plays it here.
        Codec.Mp3 => SampleEntry.ObjectTypeOf(config) == SampleEntry.Mpeg1Audio ? "mp4a.6B" : "mp4a.69",
        // Apple and the registry want the sample entry's name; hls.js and newer browsers take either. For Opus the registry has
        // the sample entry's name too, but all browsers know "opus" and few "Opus".
        Codec.Flac => "fLaC",
        _ => config.CodecString,
    };

    /// <summary>All nine fields (VP Codec ISO Media File Format Binding, codecs parameter string), out of vpcC.</summary>
    private static string Vp9String(Config config)
    {
        ReadOnlySpan<byte> vpcC = config.InitData.Span;
        int chroma = (vpcC[2] >> 1) & 7, fullRange = vpcC[2] & 1;
        return $"{config.CodecString}.{chroma:D2}.{vpcC[3]:D2}.{vpcC[4]:D2}.{vpcC[5]:D2}.{fullRange:D2}";
    }

    private static void WriteFileType(ref BoxWriter writer, Codec codec)
    {
        // iso6 has tfdt and default-base-is-moof; cmfc is CMAF's structural brand. Not cmf2: that one wants negative composition
        // offsets, so that the first picture shows at tfdt.
        int ftyp = writer.Begin("ftyp"u8);
        writer.Write("iso6"u8);
        writer.WriteUInt32(0);
        writer.Write("iso6"u8);
        writer.Write("cmfc"u8);
        if (codec == Codec.Av1)
            writer.Write("av01"u8); // required by AV1 Codec ISO Media File Format Binding 2.1
        writer.End(ftyp);
    }

    private static void WriteMovieHeader(ref BoxWriter writer, int timescale)
    {
        int mvhd = writer.Begin("mvhd"u8, 0, 0);
        writer.WriteZeros(8); // creation and modification time: unknown
        writer.WriteUInt32((uint)timescale);
        writer.WriteUInt32(0); // duration: that of the samples in moov
        writer.WriteUInt32(0x0001_0000); // rate 1.0
        writer.WriteUInt16(0x0100); // volume 1.0
        writer.WriteZeros(2 + 8);
        WriteMatrix(ref writer);
        writer.WriteZeros(6 * 4);
        writer.WriteUInt32(TrackId + 1); // next_track_ID
        writer.End(mvhd);
    }

    private static void WriteTrackHeader(ref BoxWriter writer, Config config)
    {
        const int Enabled = 1, InMovie = 2;
        int tkhd = writer.Begin("tkhd"u8, 0, Enabled | InMovie);
        writer.WriteZeros(8);
        writer.WriteUInt32(TrackId);
        writer.WriteZeros(4 + 4 + 8); // reserved, duration, reserved
        writer.WriteZeros(2 + 2); // layer, alternate group
        writer.WriteUInt16(config.Kind == TrackKind.Audio ? 0x0100 : 0);
        writer.WriteZeros(2);
        WriteMatrix(ref writer);
        writer.WriteUInt32((uint)config.Width << 16);
        writer.WriteUInt32((uint)config.Height << 16);
        writer.End(tkhd);
    }

    /// <summary>The identity: 16.16, 16.16 and 2.30.</summary>
    private static void WriteMatrix(ref BoxWriter writer)
    {
        writer.WriteUInt32(0x0001_0000);
        writer.WriteZeros(3 * 4);
        writer.WriteUInt32(0x0001_0000);
        writer.WriteZeros(3 * 4);
        writer.WriteUInt32(0x4000_0000);
    }

    private static void WriteMedia(ref BoxWriter writer, Config config, int timescale, string? language)
    {
        bool isVideo = config.Kind == TrackKind.Video;
        int mdia = writer.Begin("mdia"u8);
        int mdhd = writer.Begin("mdhd"u8, 0, 0);
        writer.WriteZeros(8);
        writer.WriteUInt32((uint)timescale);
        writer.WriteUInt32(0);
        writer.WriteUInt16(Language.Pack(language));
        writer.WriteUInt16(0);
        writer.End(mdhd);

        int hdlr = writer.Begin("hdlr"u8, 0, 0);
        writer.WriteUInt32(0);
        writer.Write(isVideo ? "vide"u8 : "soun"u8);
        writer.WriteZeros((3 * 4) + 1); // reserved, and an empty name
        writer.End(hdlr);

        int minf = writer.Begin("minf"u8);
        int header = isVideo ? writer.Begin("vmhd"u8, 0, 1) : writer.Begin("smhd"u8, 0, 0);
        writer.WriteZeros(isVideo ? 8 : 4);
        writer.End(header);
        WriteDataInformation(ref writer);
        WriteSampleTable(ref writer, config);
        writer.End(minf);
        writer.End(mdia);
    }

    private static void WriteDataInformation(ref BoxWriter writer)
    {
        const int SameFile = 1;
        int dinf = writer.Begin("dinf"u8);
        int dref = writer.Begin("dref"u8, 0, 0);
        writer.WriteUInt32(1);
        int url = writer.Begin("url "u8, 0, SameFile);
        writer.End(url);
        writer.End(dref);
        writer.End(dinf);
    }

    private static void WriteSampleTable(ref BoxWriter writer, Config config)
    {
        int stbl = writer.Begin("stbl"u8);
        int stsd = writer.Begin("stsd"u8, 0, 0);
        writer.WriteUInt32(1);
        SampleEntry.Write(ref writer, config);
        writer.End(stsd);
        WriteEmptyTable(ref writer, "stts"u8, 4);
        WriteEmptyTable(ref writer, "stsc"u8, 4);
        WriteEmptyTable(ref writer, "stsz"u8, 8);
        WriteEmptyTable(ref writer, "stco"u8, 4);
        writer.End(stbl);
    }

    private static void WriteEmptyTable(ref BoxWriter writer, ReadOnlySpan<byte> type, int length)
    {
        int table = writer.Begin(type, 0, 0);
        writer.WriteZeros(length);
        writer.End(table);
    }

    private static void WriteExtends(ref BoxWriter writer)
    {
        int mvex = writer.Begin("mvex"u8);
        int trex = writer.Begin("trex"u8, 0, 0);
        writer.WriteUInt32(TrackId);
        writer.WriteUInt32(1); // sample entry
        writer.WriteZeros(3 * 4); // duration, size, flags: each fragment gives its own
        writer.End(trex);
        writer.End(mvex);
    }
}
