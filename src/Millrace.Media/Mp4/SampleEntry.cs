using System.Buffers.Binary;

namespace Millrace.Media.Mp4;

/// <summary>Sample entries (ISO/IEC 14496-12 8.5.2, 12.1.3, 12.2.3) and the codecs' own boxes in them.</summary>
internal static class SampleEntry
{
    /// <summary>objectTypeIndication (ISO/IEC 14496-1 table 5).</summary>
    public const int Mpeg4Audio = 0x40, Mpeg2Audio = 0x69, Mpeg1Audio = 0x6B;

    public static void Write(ref BoxWriter writer, Config config)
    {
        switch (config.Codec)
        {
            case Codec.H264: WriteVideo(ref writer, config, "avc1"u8, "avcC"u8); break;
            case Codec.Hevc: WriteVideo(ref writer, config, "hvc1"u8, "hvcC"u8); break;
            case Codec.Av1: WriteVideo(ref writer, config, "av01"u8, "av1C"u8); break;
            case Codec.Vp9: WriteVideo(ref writer, config, "vp09"u8, "vpcC"u8); break;
            default: WriteAudio(ref writer, config); break;
        }
    }

    /// <summary>MPEG-2 has the rates up to 24 kHz, and MPEG-2.5, which has no number of its own, halves them.</summary>
    public static int ObjectTypeOf(Config config) =>
        config.Codec != Codec.Mp3 ? Mpeg4Audio : config.SampleRate > 24_000 ? Mpeg1Audio : Mpeg2Audio;

    private static void WriteVideo(ref BoxWriter writer, Config config, ReadOnlySpan<byte> type, ReadOnlySpan<byte> record)
    {
        const uint Dpi72 = 72 << 16;
        int entry = BeginEntry(ref writer, type);
        writer.WriteZeros(16);
        writer.WriteUInt16(config.Width);
        writer.WriteUInt16(config.Height);
        writer.WriteUInt32(Dpi72);
        writer.WriteUInt32(Dpi72);
        writer.WriteUInt32(0);
        writer.WriteUInt16(1); // frame_count
        writer.WriteZeros(32); // compressorname
        writer.WriteUInt16(24); // depth
        writer.WriteUInt16(-1); // pre_defined
        // vpcC alone is a FullBox (VP Codec ISO Media File Format Binding); Config holds it without version and flags.
        int box = config.Codec == Codec.Vp9 ? writer.Begin(record, 1, 0) : writer.Begin(record);
        writer.Write(config.InitData.Span);
        writer.End(box);
        writer.End(entry);
    }

    private static void WriteAudio(ref BoxWriter writer, Config config)
    {
        int entry = BeginEntry(ref writer, config.Codec switch
        {
            Codec.Opus => "Opus"u8,
            Codec.Ac3 => "ac-3"u8,
            Codec.Eac3 => "ec-3"u8,
            Codec.Flac => "fLaC"u8,
            _ => "mp4a"u8,
        });
        writer.WriteZeros(8);
        writer.WriteUInt16(config.Channels);
        writer.WriteUInt16(config.Codec == Codec.Flac ? FlacBits(config.InitData.Span) : 16);
        writer.WriteZeros(4);
        writer.WriteUInt16(RateOf(config.SampleRate));
        writer.WriteUInt16(0); // fraction of the rate
        WriteSpecificBox(ref writer, config);
        writer.End(entry);
    }

    private static void WriteSpecificBox(ref BoxWriter writer, Config config)
    {
        int box;
        switch (config.Codec)
        {
            case Codec.Opus:
                box = writer.Begin("dOps"u8);
                WriteOpus(ref writer, config.InitData.Span);
                break;
            case Codec.Flac:
                box = writer.Begin("dfLa"u8, 0, 0);
                writer.Write(config.InitData.Span);
                break;
            case Codec.Ac3 or Codec.Eac3:
                box = writer.Begin(config.Codec == Codec.Ac3 ? "dac3"u8 : "dec3"u8);
                writer.Write(config.SampleEntryData.Span);
                break;
            default:
                box = writer.Begin("esds"u8, 0, 0);
                WriteDescriptors(ref writer, ObjectTypeOf(config), config.InitData.Span);
                break;
        }

        writer.End(box);
    }

    /// <summary>reserved, and data_reference_index 1.</summary>
    private static int BeginEntry(ref BoxWriter writer, ReadOnlySpan<byte> type)
    {
        int entry = writer.Begin(type);
        writer.WriteZeros(6);
        writer.WriteUInt16(1);
        return entry;
    }

    /// <summary>
    /// The field has 16 bits of Hz. A higher rate is divided by a power of two until it fits, as the encapsulation of FLAC asks; readers take
    /// the true rate from the codec's own box.
    /// </summary>
    private static int RateOf(int sampleRate)
    {
        while (sampleRate > ushort.MaxValue)
            sampleRate >>= 1;
        return sampleRate;
    }

    /// <summary>Bits per sample of STREAMINFO (RFC 9639 8.2), behind the block's 4-byte header.</summary>
    private static int FlacBits(ReadOnlySpan<byte> block) =>
        ((BinaryPrimitives.ReadUInt16BigEndian(block[16..]) >> 4) & 0x1F) + 1;

    /// <summary>
    /// OpusSpecificBox (Encapsulation of Opus in ISO Base Media File Format 4.3.2): the fields of OpusHead (RFC 7845 5.1) behind its magic,
    /// with version 0 and big-endian.
    /// </summary>
    private static void WriteOpus(ref BoxWriter writer, ReadOnlySpan<byte> head)
    {
        const int FamilyAt = 18, MappingAt = 19;
        int channels = head[9], family = head[FamilyAt];
        writer.WriteByte(0);
        writer.WriteByte(channels);
        writer.WriteUInt16(BinaryPrimitives.ReadUInt16LittleEndian(head[10..])); // pre-skip
        writer.WriteUInt32(BinaryPrimitives.ReadUInt32LittleEndian(head[12..])); // input sample rate
        writer.WriteUInt16(BinaryPrimitives.ReadInt16LittleEndian(head[16..])); // gain
        writer.WriteByte(family);
        if (family != 0)
            writer.Write(head.Slice(MappingAt, 2 + channels));
    }

    /// <summary>ES_Descriptor, DecoderConfigDescriptor, DecoderSpecificInfo, SLConfigDescriptor (ISO/IEC 14496-1 7.2.6; 14496-14 3.1.2).</summary>
    private static void WriteDescriptors(ref BoxWriter writer, int objectType, ReadOnlySpan<byte> audioSpecificConfig)
    {
        const int Header = 5, EsBody = 3, DecoderBody = 13, SlBody = 1;
        const int AudioStream = (5 << 2) | 1;
        int specific = audioSpecificConfig.IsEmpty ? 0 : Header + audioSpecificConfig.Length;
        WriteDescriptor(ref writer, 3, EsBody + Header + DecoderBody + specific + Header + SlBody);
        writer.WriteUInt16(0); // ES_ID: that of the track
        writer.WriteByte(0);
        WriteDescriptor(ref writer, 4, DecoderBody + specific);
        writer.WriteByte(objectType);
        writer.WriteByte(AudioStream);
        writer.WriteZeros(3 + 4 + 4); // buffer size, maximum and average bit rate: unknown
        if (specific > 0)
        {
            WriteDescriptor(ref writer, 5, audioSpecificConfig.Length);
            writer.Write(audioSpecificConfig);
        }

        WriteDescriptor(ref writer, 6, SlBody);
        writer.WriteByte(2); // predefined: MP4
    }

    /// <summary>Tag, and the length in four bytes of seven bits each (14496-1 8.3.3), the form that the most readers have seen.</summary>
    private static void WriteDescriptor(ref BoxWriter writer, int tag, int length)
    {
        writer.WriteByte(tag);
        writer.WriteByte(0x80 | (length >> 21));
        writer.WriteByte(0x80 | (length >> 14));
        writer.WriteByte(0x80 | (length >> 7));
        writer.WriteByte(length & 0x7F);
    }
}
