namespace Millrace.Media.Tests;

/// <summary>
/// Real bytes. Made with ffmpeg 5.1 from testsrc2 (160x90 at 30 fps unless noted) and sine: x264, x265, SVT-AV1, libaom, libvpx,
/// and ffmpeg's audio encoders; the expected values in the tests are those of ffprobe.
/// </summary>
internal static class Vectors
{
    // x264: High; High 4:2:2 10 bit; High 4:4:4 with scaling matrices, 1280x720 at 25; interlaced 1920x1080 at 60000/1001.
    public static readonly byte[] AvcHigh = Hex.Bytes("0164000bffe100196764000bacd9428df930110000030001000003003c0f14299601000468ef8fcbfdf8f800");
    public static readonly byte[] Avc422 = Hex.Bytes("017a000bffe1001a677a000bb6cd9428df9f0110000003001000000303c0f142996001000468ef8fcbfefafa00");
    public static readonly byte[] Avc444 = Hex.Bytes("01f4001fffe1001a67f4001f919b280a00b76022000003000200000300641e30632c01000768ef8f19300019fff8f800");
    public static readonly byte[] AvcInterlaced = Hex.Bytes("0164003effe100196764003eacd94078044fde022000007d20003a9803e3c7b2c001000468fe8fcbfdf8f800");

    // x264 with aud=1 and repeat-headers=1: the start of the byte stream; the IDR slice is cut after six bytes.
    public static readonly byte[] AvcDelimiter = Hex.Bytes("0910");
    public static readonly byte[] AvcSps = Hex.Bytes("6742c00bda0a37e4c044000003000400000300f03c50aa80");
    public static readonly byte[] AvcPps = Hex.Bytes("68ce018720");
    public static readonly byte[] AvcIdr = Hex.Bytes("6588843a0c61");
    public static readonly byte[] AvcSlice = Hex.Bytes("419a228d0843");
    public static readonly byte[] AvcByteStream = Hex.Bytes(
        "000000010910 000000016742c00bda0a37e4c044000003000400000300f03c50aa80 0000000168ce018720 0000016588843a0c61");

    // x265: Main; format range extensions 4:2:2 10 bit with HRD, SAR, colours and scaling lists.
    public static readonly byte[] HevcMain = Hex.Bytes(
        "0101600000009000000000001ef000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003001e959809a10001002a"
        + "42010101600000030090000003000003001ea0142061f265959a4932bc05a020000003002000000303c1a2000100074401c172b46240");
    public static readonly byte[] Hevc422 = Hex.Bytes(
        "0104080000009d08000000003cf002fffefafa00001304a00001001b40010c02ffff0408000003009d0800000300003c00009598acc048a1000100"
        + "424201020408000003009d0800000300003c0000b0142061f3b659598acd249caf046a02040408000003000800000300f30064b37000f420003d09"
        + "7000f420003d0910a2000100074401c172b4624027000100064e0181010f80");
    public static readonly byte[] HevcDelimiter = Hex.Bytes("460110");
    public static readonly byte[] HevcVps = Hex.Bytes("40010c01ffff01600000030090000003000003001e959809");
    public static readonly byte[] HevcSps = Hex.Bytes("42010101600000030090000003000003001ea0142061f265959a4932bc05a020000003002000000303c1");
    public static readonly byte[] HevcPps = Hex.Bytes("4401c171a312");
    public static readonly byte[] HevcIdr = Hex.Bytes("2801af055427");

    // SVT-AV1 8 bit; libaom 10 bit; libaom 4:4:4 1920x1080 at 60. Frames are cut, with their sizes mended.
    public static readonly byte[] Av1Main = Hex.Bytes("81000c00 0a0a00000003b4fd900be001");
    public static readonly byte[] Av1TenBit = Hex.Bytes("81004c00 0a0a00000003b4fd936be501");
    public static readonly byte[] Av1High = Hex.Bytes("81290000 0a0b2000004aabbfc3776be408");
    public static readonly byte[] Av1KeyUnit = Hex.Bytes("0a0a00000003b4fd900be001 3203140021");
    public static readonly byte[] Av1InterUnit = Hex.Bytes("3204 29020012");
    public static readonly byte[] Av1ShownAgain = Hex.Bytes("1a01b8");

    // libvpx: as MP4 stores it (with version and flags), profile 0; profile 3; first bytes of frames.
    public static readonly byte[] VpcC = Hex.Bytes("01000000 000a820202020000");
    public static readonly byte[] VpcCProfile3 = Hex.Bytes("01000000 030aa40202020000");
    public static readonly byte[] Vp9Key = Hex.Bytes("824983420009f005960638241c184a00");
    public static readonly byte[] Vp9KeyProfile3 = Hex.Bytes("b124c1a102004f802cb031c120e0c2c0");
    public static readonly byte[] Vp9Inter = Hex.Bytes("86004092f12140000054");

    public static readonly byte[] AacLc48Stereo = Hex.Bytes("119056e500");
    public static readonly byte[] AacLc48Surround = Hex.Bytes("11b056e500");
    public static readonly byte[] Adts = Hex.Bytes("fff14c8024fffc");

    // AAC-LC 44.1 kHz whose channels (a front pair, a back pair, an LFE) are in a program config element; by hand.
    public static readonly byte[] AacWithProgramConfig = Hex.Bits(
        "00010 0100 0000 000  0000 01 0100 0001 0000 0001 01 000 0000 0 0 0  1 0000  1 0001  0000  0000 00000000");

    public static readonly byte[] OpusHead = Hex.Bytes("4f70757348656164 01 02 3801 80bb0000 0000 00");
    public static readonly byte[] OpusHeadSurround = Hex.Bytes("4f70757348656164 01 06 3801 80bb0000 0000 01 0402 000401020305");

    public static readonly byte[] Ac3Stereo = Hex.Bytes("0b77fe95144043e106f46370c0c0c218");
    public static readonly byte[] Ac3Surround = Hex.Bytes("0b77b50b1e40ebf8403eff99ff0841fc");
    public static readonly byte[] Ac3At44 = Hex.Bytes("0b77d6684c4043e106f0890c");
    public static readonly byte[] Eac3Stereo = Hex.Bytes("0b77017f3487c000208421083800");
    public static readonly byte[] Eac3Surround = Hex.Bytes("0b77037f3f87c00020f820000200");

    public static readonly byte[] FlacStart = Hex.Bytes(
        "664c6143 00000022 120012000000c70005110bb802f000002580d9b81de011fef694f3e1d33694c8ae61");
    public static readonly byte[] FlacFrame = Hex.Bytes("fff85a8800374e0000");
    public static readonly byte[] FlacLastFrame = Hex.Bytes("fff87a8802017f4f4c01");

    /// <summary>NAL units with 4-byte lengths.</summary>
    public static byte[] Unit(params byte[][] nals)
    {
        var bytes = new List<byte>();
        foreach (byte[] nal in nals)
        {
            bytes.AddRange([0, 0, (byte)(nal.Length >> 8), (byte)nal.Length]);
            bytes.AddRange(nal);
        }

        return [.. bytes];
    }
}
