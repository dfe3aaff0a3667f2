using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Millrace.Media.Bits;

namespace Millrace.Media.Codecs;

/// <summary>AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1), as far as it says what a decoder will put out.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AudioSpecificConfig(int OutermostType, int OutputRate, int OutputChannels, int OutputSamples)
{
    private const int Sbr = 5, ParametricStereo = 29, LowDelay = 23, EnhancedLowDelay = 39;

    public static bool TryParse(ReadOnlySpan<byte> data, out AudioSpecificConfig config, [NotNullWhen(false)] out string? error)
    {
        config = default;
        var bits = new BitReader(data);
        int type = ReadObjectType(ref bits), outermost = type;
        int rate = ReadSampleRate(ref bits), outputRate = rate;
        int channels = ChannelsOf((int)bits.ReadBits(4));
        if (type is Sbr or ParametricStereo)
        {
            outputRate = ReadSampleRate(ref bits);
            type = ReadObjectType(ref bits);
        }

        int samples;
        bool isGeneral = type is >= 1 and <= 4 or 6 or 7 or 17 or >= 19 and <= LowDelay;
        if (isGeneral)
        {
            samples = ReadGeneral(ref bits, type, ref channels);
        }
        else if (type == EnhancedLowDelay)
        {
            samples = ReadEnhancedLowDelay(ref bits, rate, ref outputRate);
        }
        else
        {
            error = bits.Failed ? "AudioSpecificConfig: cut short" : $"AudioSpecificConfig: audio object type {type} is not supported";
            return false;
        }

        if (outermost == type && isGeneral && !bits.Failed)
            ReadSyncExtension(bits, ref outermost, ref outputRate);
        error = bits.Failed ? "AudioSpecificConfig: cut short"
            : rate == 0 || outputRate == 0 ? "AudioSpecificConfig: reserved sample rate"
            : channels <= 0 ? "AudioSpecificConfig: no channels, or a reserved channel configuration"
            : null;
        if (error is not null)
            return false;

        // SBR doubles the samples as it doubles the rate; PS makes stereo of one channel.
        int outputChannels = outermost == ParametricStereo && channels == 1 ? 2 : channels;
        int outputSamples = outputRate == rate ? samples : (int)Timescale.Convert(samples, rate, outputRate);
        config = new AudioSpecificConfig(outermost, outputRate, outputChannels, outputSamples);
        return true;
    }

    /// <summary>GASpecificConfig (4.4.1): gives samples per frame; a program config element replaces the channels.</summary>
    private static int ReadGeneral(ref BitReader bits, int type, ref int channels)
    {
        bool isShort = bits.ReadFlag();
        if (bits.ReadFlag()) // dependsOnCoreCoder
            bits.SkipBits(14);
        bool hasExtension = bits.ReadFlag();
        if (channels < 0)
            channels = ReadProgramConfig(ref bits);
        if (type is 6 or 20)
            bits.SkipBits(3); // layerNr
        if (hasExtension)
        {
            if (type == 22)
                bits.SkipBits(5 + 11);
            if (type is 17 or 19 or 20 or LowDelay)
                bits.SkipBits(3);
            bits.ReadFlag(); // extensionFlag3
        }

        return type == LowDelay ? (isShort ? 480 : 512) : isShort ? 960 : 1024;
    }

    /// <summary>ELDSpecificConfig (4.6.20.2) up to its SBR flags.</summary>
    private static int ReadEnhancedLowDelay(ref BitReader bits, int rate, ref int outputRate)
    {
        bool isShort = bits.ReadFlag();
        bits.SkipBits(3);
        bool hasSbr = bits.ReadFlag(), isDualRate = hasSbr && bits.ReadFlag();
        if (isDualRate)
            outputRate = rate * 2;
        return isShort ? 480 : 512;
    }

    /// <summary>The backward-compatible signalling of SBR and PS at the end (1.6.5.2). Missing or cut, it signals nothing.</summary>
    private static void ReadSyncExtension(BitReader bits, ref int outermost, ref int outputRate)
    {
        const uint SbrSync = 0x2B7, PsSync = 0x548;
        if (bits.BitsLeft < 16 || bits.ReadBits(11) != SbrSync || ReadObjectType(ref bits) != Sbr || !bits.ReadFlag())
            return;
        int rate = ReadSampleRate(ref bits);
        if (bits.Failed || rate == 0)
            return;
        outermost = Sbr;
        outputRate = rate;
        if (bits.BitsLeft >= 12 && bits.ReadBits(11) == PsSync && bits.ReadFlag())
            outermost = ParametricStereo;
    }

    private static int ReadObjectType(ref BitReader bits)
    {
        const int Escape = 31;
        int type = (int)bits.ReadBits(5);
        return type == Escape ? 32 + (int)bits.ReadBits(6) : type;
    }

    /// <summary>Hz; 0 when reserved.</summary>
    private static int ReadSampleRate(ref BitReader bits)
    {
        const int Escape = 15;
        int index = (int)bits.ReadBits(4);
        return index == Escape ? (int)bits.ReadBits(24) : index < Aac.SampleRates.Length ? Aac.SampleRates[index] : 0;
    }

    /// <summary>channelConfiguration (table 1.19): the number of channels; 0 when reserved, -1 when a program config element tells.</summary>
    public static int ChannelsOf(int configuration) => configuration switch
    {
        0 => -1,
        <= 6 => configuration,
        7 or 12 or 14 => 8,
        11 => 7,
        13 => 24,
        _ => 0,
    };

    /// <summary>program_config_element (4.4.1.1): the channels of its front, side, back and LFE elements.</summary>
    private static int ReadProgramConfig(ref BitReader bits)
    {
        bits.SkipBits(4 + 2 + 4); // tag, object type, rate
        int speakers = (int)(bits.ReadBits(4) + bits.ReadBits(4) + bits.ReadBits(4));
        int lfe = (int)bits.ReadBits(2);
        int data = (int)bits.ReadBits(3), coupling = (int)bits.ReadBits(4);
        for (int mixdown = 0; mixdown < 2; mixdown++)
        {
            if (bits.ReadFlag())
                bits.SkipBits(4);
        }

        if (bits.ReadFlag())
            bits.SkipBits(3);
        int channels = lfe;
        for (int i = 0; i < speakers && !bits.Failed; i++)
        {
            channels += bits.ReadFlag() ? 2 : 1; // is_cpe
            bits.SkipBits(4);
        }

        bits.SkipBits((lfe * 4) + (data * 4) + (coupling * 5));
        // The comment starts at a byte of the whole config, and everything before it was read from there too.
        bits.Align();
        bits.SkipBits((int)bits.ReadBits(8) * 8);
        return channels;
    }
}
