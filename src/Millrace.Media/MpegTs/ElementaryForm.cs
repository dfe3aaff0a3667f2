using Millrace.Media.Codecs;

namespace Millrace.Media.MpegTs;

/// <summary>Access units of the stream log in the form that a transport stream has them.</summary>
internal static class ElementaryForm
{
    private static ReadOnlySpan<byte> StartCode => [0, 0, 0, 1];

    /// <summary>
    /// A picture in the byte stream format (Annex B), with the access unit delimiter that 13818-1 2.14.1 and 2.17.1 ask for;
    /// it allows slices of every type. What follows a damaged length prefix is left out.
    /// </summary>
    /// <param name="target">Gets the bytes.</param>
    /// <param name="config">Of H.264 or HEVC.</param>
    /// <param name="payload">Length-prefixed NAL units.</param>
    /// <param name="withSets">Puts the Config's parameter sets in front.</param>
    public static void AppendPicture(HeldBytes target, Config config, ReadOnlySpan<byte> payload, bool withSets)
    {
        target.Append(StartCode);
        target.Append(config.Codec == Codec.Hevc ? [(byte)HevcNal.Delimiter << 1, 1, 0x50] : [(byte)H264Nal.Delimiter, 0xF0]);
        if (withSets)
            AppendSets(target, config);
        var units = new NalReader(payload, config.NalLengthSize);
        while (units.TryRead(out ReadOnlySpan<byte> nal))
        {
            target.Append(StartCode);
            target.Append(nal);
        }
    }

    /// <summary>False for a frame of AAC that does not fit an ADTS header: too long, or of an object type or rate that ADTS lacks.</summary>
    public static bool CanCarry(Config config, int length) =>
        config.Codec != Codec.Aac || AdtsHeader.TryWrite(stackalloc byte[AdtsHeader.Length], config, length);

    /// <summary>An audio frame that <see cref="CanCarry"/> accepts; AAC with an ADTS header, Opus with its control header.</summary>
    public static void AppendFrame(HeldBytes target, Config config, ReadOnlySpan<byte> payload)
    {
        if (config.Codec == Codec.Aac)
        {
            Span<byte> header = stackalloc byte[AdtsHeader.Length];
            AdtsHeader.TryWrite(header, config, payload.Length);
            target.Append(header);
        }
        else if (config.Codec == Codec.Opus)
        {
            OpusInTs.AppendHeader(target, payload.Length);
        }

        target.Append(payload);
    }

    /// <summary>Ticks of 90 kHz that an audio frame lasts; 0 when that is not known.</summary>
    public static long DurationOf(Config config, ReadOnlySpan<byte> payload)
    {
        int samples = config.SamplesPerFrame;
        if (config.Codec == Codec.Opus && !Opus.TryReadDuration(payload, out samples))
            samples = 0;
        return samples > 0 && config.SampleRate > 0 ? Timescale.Convert(samples, config.SampleRate, TsMuxer.ClockRate) : 0;
    }

    /// <summary>hvcC may hold SEI messages too; those that belong behind a picture would be wrong in front of it.</summary>
    private static void AppendSets(HeldBytes target, Config config)
    {
        var sets = new ParameterSetReader(config.Codec, config.InitData.Span);
        while (sets.TryRead(out ReadOnlySpan<byte> set))
        {
            if (config.Codec == Codec.Hevc && Hevc.TypeOf(set[0]) == HevcNal.SuffixSei)
                continue;
            target.Append(StartCode);
            target.Append(set);
        }
    }
}
