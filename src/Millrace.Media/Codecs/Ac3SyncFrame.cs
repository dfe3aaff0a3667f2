using System.Runtime.InteropServices;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>What the header of an AC-3 or E-AC-3 syncframe says (ETSI TS 102 366 4.3, E.1.2).</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Ac3SyncFrame
{
    /// <summary>E-AC-3.</summary>
    public bool IsEnhanced { get; private init; }

    /// <summary>E-AC-3: adds channels to the independent substream before it.</summary>
    public bool IsDependent { get; private init; }

    /// <summary>substreamid: numbers independent substreams, and the dependent ones of each; 0 for AC-3.</summary>
    public int Substream { get; private init; }

    /// <summary>AC-3, or the independent substream 0 of E-AC-3.</summary>
    public bool IsMain => !IsDependent && Substream == 0;

    /// <summary>Hz.</summary>
    public int SampleRate { get; private init; }

    /// <summary>256 for each block.</summary>
    public int Samples { get; private init; }

    /// <summary>Bytes of the syncframe; at least 2.</summary>
    public int Length { get; private init; }

    /// <summary>fscod: 48, 44.1, 32 kHz; 3 for the half rates of E-AC-3.</summary>
    public int RateCode { get; private init; }

    /// <summary>bsid.</summary>
    public int BitstreamId { get; private init; }

    /// <summary>bsmod, the kind of service; 0 (complete main) for E-AC-3, where it is an option deep in the header.</summary>
    public int ServiceMode { get; private init; }

    /// <summary>acmod (table 4.3).</summary>
    public int ChannelMode { get; private init; }

    /// <summary>lfeon.</summary>
    public bool HasLfe { get; private init; }

    /// <summary>AC-3: frmsizecod / 2, the index of the bit rate.</summary>
    public int BitRateCode { get; private init; }

    /// <summary>chanmap of a dependent substream (E.1.3.1.8), its bit 0 the most significant of 16; 0 when there is none.</summary>
    public int ChannelMap { get; private init; }

    /// <summary>With the LFE.</summary>
    public int Channels => ChannelsOfMode[ChannelMode] + (HasLfe ? 1 : 0);

    private const int BlockSamples = 256;

    /// <summary>Bytes up to bsid, which tells the two apart: it is at the same place in both (E.1.3.1.6).</summary>
    private const int MinLength = 6;

    private static ReadOnlySpan<int> SampleRates => [48_000, 44_100, 32_000];

    /// <summary>acmod (table 4.3): full-bandwidth channels.</summary>
    private static ReadOnlySpan<byte> ChannelsOfMode => [2, 1, 2, 3, 3, 4, 4, 5];

    /// <summary>frmsizecod / 2 (table 4.13): kbit/s.</summary>
    private static ReadOnlySpan<short> Kilobits =>
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];

    public static bool TryParse(ReadOnlySpan<byte> data, out Ac3SyncFrame frame)
    {
        frame = default;
        if (data.Length < MinLength || data[0] != 0x0B || data[1] != 0x77)
            return false;
        int bitstreamId = data[5] >> 3;
        var bits = new BitReader(data[2..]);
        return bitstreamId switch
        {
            <= 10 => TryParseBasic(ref bits, bitstreamId, out frame),
            <= 16 => TryParseEnhanced(ref bits, bitstreamId, out frame),
            _ => false,
        };
    }

    /// <summary>syncinfo and bsi of 4.3; bsid 9 and 10 stand for half and a quarter of the rate.</summary>
    private static bool TryParseBasic(ref BitReader bits, int bitstreamId, out Ac3SyncFrame frame)
    {
        frame = default;
        bits.SkipBits(16); // CRC
        int rateCode = (int)bits.ReadBits(2), sizeCode = (int)bits.ReadBits(6);
        bits.SkipBits(5); // bsid
        int service = (int)bits.ReadBits(3), mode = (int)bits.ReadBits(3);
        if ((mode & 1) != 0 && mode != 1)
            bits.SkipBits(2); // centre mix level
        if ((mode & 4) != 0)
            bits.SkipBits(2); // surround mix level
        if (mode == 2)
            bits.SkipBits(2); // Dolby Surround mode
        bool hasLfe = bits.ReadFlag();
        if (bits.Failed || rateCode == 3 || sizeCode / 2 >= Kilobits.Length)
            return false;

        const int FrameSamples = 6 * BlockSamples;
        int rate = SampleRates[rateCode], kilobits = Kilobits[sizeCode / 2];
        int words = kilobits * 1000 / 16 * FrameSamples / rate;
        if (rate == 44_100)
            words += sizeCode & 1;
        frame = new Ac3SyncFrame
        {
            SampleRate = rate >> Math.Max(0, bitstreamId - 8),
            Samples = FrameSamples,
            Length = words * 2,
            RateCode = rateCode,
            BitstreamId = bitstreamId,
            ServiceMode = service,
            ChannelMode = mode,
            HasLfe = hasLfe,
            BitRateCode = sizeCode / 2,
        };
        return true;
    }

    /// <summary>bsi of E.1.2.2.</summary>
    private static bool TryParseEnhanced(ref BitReader bits, int bitstreamId, out Ac3SyncFrame frame)
    {
        frame = default;
        const uint Dependent = 1, Reserved = 3;
        uint type = bits.ReadBits(2), substream = bits.ReadBits(3);
        int length = ((int)bits.ReadBits(11) + 1) * 2;
        int rateCode = (int)bits.ReadBits(2), blocksCode = (int)bits.ReadBits(2);
        int mode = (int)bits.ReadBits(3);
        bool hasLfe = bits.ReadFlag();
        bool isHalfRate = rateCode == 3;
        if (bits.Failed || type == Reserved || (isHalfRate && blocksCode == 3))
            return false;

        // With fscod 3 the next two bits are fscod2, the half rates, and there are six blocks.
        int rate = isHalfRate ? SampleRates[blocksCode] / 2 : SampleRates[rateCode];
        int blocks = isHalfRate || blocksCode == 3 ? 6 : blocksCode + 1;
        frame = new Ac3SyncFrame
        {
            IsEnhanced = true,
            IsDependent = type == Dependent,
            Substream = (int)substream,
            SampleRate = rate,
            Samples = blocks * BlockSamples,
            Length = length,
            RateCode = rateCode,
            BitstreamId = bitstreamId,
            ChannelMode = mode,
            HasLfe = hasLfe,
            ChannelMap = type == Dependent ? ReadChannelMap(ref bits, mode) : 0,
        };
        return true;
    }

    private static int ReadChannelMap(ref BitReader bits, int mode)
    {
        bits.SkipBits(5); // bsid
        for (int programme = mode == 0 ? 2 : 1; programme > 0; programme--)
        {
            bits.SkipBits(5); // dialogue level
            if (bits.ReadFlag())
                bits.SkipBits(8); // compression
        }

        int map = bits.ReadFlag() ? (int)bits.ReadBits(16) : 0;
        return bits.Failed ? 0 : map;
    }
}
