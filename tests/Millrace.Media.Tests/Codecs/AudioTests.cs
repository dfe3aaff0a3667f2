using Millrace.Media.Codecs;

namespace Millrace.Media.Tests.Codecs;

public sealed class AudioTests
{
    [Theory]
    [InlineData("119056e500", "mp4a.40.2", 48_000, 2, 1024)] // ffmpeg: SBR signalled as absent
    [InlineData("11b056e500", "mp4a.40.2", 48_000, 6, 1024)]
    [InlineData("1210", "mp4a.40.2", 44_100, 2, 1024)]
    [InlineData("1194", "mp4a.40.2", 48_000, 2, 960)]
    [InlineData("11b8", "mp4a.40.2", 48_000, 8, 1024)]
    [InlineData("2b920800", "mp4a.40.5", 44_100, 2, 2048)] // SBR around LC
    [InlineData("eb8a0800", "mp4a.40.29", 44_100, 2, 2048)] // PS: stereo from mono
    [InlineData("139056e5a0", "mp4a.40.5", 44_100, 2, 2048)] // SBR behind LC
    [InlineData("138856e5a54880", "mp4a.40.29", 44_100, 2, 2048)] // SBR and PS behind LC
    [InlineData("139056e5", "mp4a.40.2", 22_050, 2, 1024)] // the same, cut: no signal
    [InlineData("f8e64000", "mp4a.40.39", 48_000, 2, 512)] // enhanced low delay
    public void Aac_reads_the_decoder_s_output(string asc, string codec, int rate, int channels, int samples)
    {
        Aac.TryParseConfig(Hex.Bytes(asc), out Config? config, out string? error).ShouldBeTrue(error);
        (config.CodecString, config.SampleRate, config.Channels, config.SamplesPerFrame).ShouldBe((codec, rate, channels, samples));
    }

    [Fact]
    public void Aac_counts_the_channels_of_a_program_config_element()
    {
        Aac.TryParseConfig(Vectors.AacWithProgramConfig, out Config? config, out string? error).ShouldBeTrue(error);
        (config.SampleRate, config.Channels).ShouldBe((44_100, 5));
    }

    [Theory]
    [InlineData("", "cut short")]
    [InlineData("12", "cut short")]
    [InlineData("1690", "sample rate")]
    [InlineData("11c8", "channel")]
    [InlineData("61900000", "12 is not supported")]
    public void Aac_says_why_a_config_is_refused(string asc, string reason)
    {
        Aac.TryParseConfig(Hex.Bytes(asc), out _, out string? error).ShouldBeFalse();
        error.ShouldContain(reason);
    }

    [Theory]
    [InlineData(44_100, 2, "1210")]
    [InlineData(48_000, 8, "11b8")]
    [InlineData(44_056, 1, "1780560c08")]
    public void Aac_config_is_built(int rate, int channels, string asc)
    {
        Aac.TryBuildConfig(Aac.LowComplexity, rate, channels, out Config? config, out string? error).ShouldBeTrue(error);
        (Hex.Of(config.InitData.Span), config.SampleRate, config.Channels).ShouldBe((asc, rate, channels));
        Aac.TryBuildConfig(Aac.LowComplexity, rate, 7, out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void Adts_header_is_read_and_written()
    {
        AdtsHeader.TryParse(Vectors.Adts, out AdtsHeader header).ShouldBeTrue();
        header.ShouldBe(new AdtsHeader(2, 48_000, 2, 7, 295, 1));
        header.TryToConfig(out Config? config, out _).ShouldBeTrue();
        byte[] written = new byte[AdtsHeader.Length];
        AdtsHeader.TryWrite(written, config, 288).ShouldBeTrue();
        Hex.Of(written).ShouldBe(Hex.Of(Vectors.Adts));
        AdtsHeader.TryWrite(written, config, 8185).ShouldBeFalse();
    }

    [Fact]
    public void Adts_carries_the_core_of_sbr()
    {
        Aac.TryParseConfig(Hex.Bytes("2b920800"), out Config? config, out _).ShouldBeTrue();
        byte[] written = new byte[AdtsHeader.Length];
        AdtsHeader.TryWrite(written, config, 100).ShouldBeTrue();
        AdtsHeader.TryParse(written, out AdtsHeader header).ShouldBeTrue();
        header.ShouldBe(new AdtsHeader(2, 22_050, 2, 7, 107, 1));
    }

    [Theory]
    [InlineData("fffb5400", 10, 3, 48_000, 2, 1152, 192)]
    [InlineData("fffb9464", 10, 3, 48_000, 2, 1152, 384)]
    [InlineData("fff370c0", 20, 3, 22_050, 1, 576, 182)]
    [InlineData("ffe338c0", 25, 3, 8_000, 1, 576, 216)]
    [InlineData("fffde4c4", 10, 2, 48_000, 1, 1152, 1152)]
    [InlineData("ffff1200", 10, 1, 44_100, 2, 384, 36)]
    [InlineData("fffb0400", 10, 3, 48_000, 2, 1152, 0)]
    public void Mpeg_audio_header(string hex, int version, int layer, int rate, int channels, int samples, int length)
    {
        MpegAudioHeader.TryParse(Hex.Bytes(hex), out MpegAudioHeader header).ShouldBeTrue();
        header.ShouldBe(new MpegAudioHeader(version, layer, rate, channels, samples, length));
    }

    [Theory]
    [InlineData("fffb54")]
    [InlineData("ffeb5400")] // reserved version
    [InlineData("fff95400")] // reserved layer
    [InlineData("fffbf400")] // reserved bit rate
    [InlineData("fffb5c00")] // reserved sample rate
    [InlineData("49443304")] // ID3
    public void What_is_no_mpeg_audio_header_is_refused(string hex) =>
        MpegAudioHeader.TryParse(Hex.Bytes(hex), out _).ShouldBeFalse();

    [Fact]
    public void Mp3_describes_itself_and_other_layers_are_refused()
    {
        Mp3.TryParseConfigFromFrame(Hex.Bytes("fff370c0"), out Config? config, out _).ShouldBeTrue();
        (config.CodecString, config.SampleRate, config.Channels, config.SamplesPerFrame).ShouldBe(("mp4a.40.34", 22_050, 1, 576));
        Mp3.TryParseConfigFromFrame(Hex.Bytes("fffde4c4"), out _, out string? error).ShouldBeFalse();
        error.ShouldBe("MPEG audio layer 2 is not MP3");
    }

    [Fact]
    public void Opus_head_is_read()
    {
        Opus.TryParseConfig(Vectors.OpusHead, out Config? stereo, out string? error).ShouldBeTrue(error);
        (stereo.CodecString, stereo.SampleRate, stereo.Channels, stereo.SamplesPerFrame).ShouldBe(("opus", 48_000, 2, 0));
        Opus.TryParseConfig(Vectors.OpusHeadSurround, out Config? surround, out error).ShouldBeTrue(error);
        surround.Channels.ShouldBe(6);
        Opus.TryParseConfig(Vectors.OpusHeadSurround.AsSpan()[..^1], out _, out error).ShouldBeFalse();
        Opus.IsCommentHeader("OpusTags\u0000"u8).ShouldBeTrue();
    }

    [Theory]
    [InlineData("fc", 960)] // CELT 20 ms, one frame
    [InlineData("e0", 120)] // CELT 2.5 ms
    [InlineData("00", 480)] // SILK 10 ms
    [InlineData("18", 2880)] // SILK 60 ms
    [InlineData("68", 960)] // hybrid 20 ms
    [InlineData("fd", 1920)] // two frames
    [InlineData("ff03", 2880)] // three frames
    [InlineData("1b02", 5760)] // 120 ms, the most
    [InlineData("1b03", 0)]
    [InlineData("ff00", 0)]
    [InlineData("ff", 0)]
    [InlineData("", 0)]
    public void Opus_packet_duration(string packet, int samples)
    {
        Opus.TryReadDuration(Hex.Bytes(packet), out int read).ShouldBe(samples > 0);
        if (samples > 0)
            read.ShouldBe(samples);
    }

    public static TheoryData<byte[], string, int, int, int> Ac3Frames => new()
    {
        { Vectors.Ac3Stereo, "ac-3", 48_000, 2, 768 },
        { Vectors.Ac3Surround, "ac-3", 48_000, 6, 1792 },
        { Vectors.Ac3At44, "ac-3", 44_100, 2, 416 },
        { Vectors.Eac3Stereo, "ec-3", 48_000, 2, 768 },
        { Vectors.Eac3Surround, "ec-3", 48_000, 6, 1792 },
    };

    [Theory]
    [MemberData(nameof(Ac3Frames))]
    public void Ac3_and_eac3_describe_themselves(byte[] frame, string codec, int rate, int channels, int length)
    {
        Ac3.TryParseConfigFromFrame(frame, out Config? config, out string? error).ShouldBeTrue(error);
        (config.CodecString, config.SampleRate, config.Channels, config.SamplesPerFrame).ShouldBe((codec, rate, channels, 1536));
        Ac3SyncFrame.TryParse(frame, out Ac3SyncFrame header).ShouldBeTrue();
        header.Length.ShouldBe(length);
    }

    [Fact]
    public void Eac3_access_unit_counts_all_frames_of_the_main_programme()
    {
        // Six syncframes of one block and six bytes, with a dependent substream after the first.
        byte[] main = Hex.Bytes("0b7700020480"), dependent = Hex.Bytes("0b7740020480");
        byte[] unit = [.. main, .. dependent, .. main, .. main, .. main, .. main, .. main];
        Ac3.TryParseConfigFromFrame(unit, out Config? config, out _).ShouldBeTrue();
        (config.SamplesPerFrame, config.Channels).ShouldBe((1536, 2));
        Ac3.TryParseConfigFromFrame(dependent, out _, out string? error).ShouldBeFalse();
        error.ShouldContain("main programme");
    }

    public static TheoryData<byte[], string> Ac3Boxes => new()
    {
        // bsid 8: stereo of 192 kbit/s, 5.1 of 448, stereo of 96 at 44.1 kHz; bsid 16: stereo of 192 kbit/s, 5.1 of 448.
        { Vectors.Ac3Stereo, "101140" },
        { Vectors.Ac3Surround, "103de0" },
        { Vectors.Ac3At44, "5010c0" },
        { Vectors.Eac3Stereo, "0600 200400" },
        { Vectors.Eac3Surround, "0e00 200f00" },
    };

    [Theory]
    [MemberData(nameof(Ac3Boxes))]
    public void Ac3_and_eac3_describe_themselves_for_mp4_too(byte[] frame, string box)
    {
        Ac3.TryParseConfigFromFrame(frame, out Config? config, out _).ShouldBeTrue();
        Hex.Of(config.SampleEntryData.Span).ShouldBe(box.Replace(" ", "", StringComparison.Ordinal));
        config.InitData.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void Another_bit_rate_of_ac3_is_another_config()
    {
        byte[] faster = [.. Vectors.Ac3Stereo];
        faster[4] += 2;
        Ac3.TryParseConfigFromFrame(Vectors.Ac3Stereo, out Config? config, out _).ShouldBeTrue();
        Ac3.TryParseConfigFromFrame([.. Vectors.Ac3Stereo], out Config? same, out _).ShouldBeTrue();
        Ac3.TryParseConfigFromFrame(faster, out Config? other, out _).ShouldBeTrue();
        same.ShouldBe(config);
        other.ShouldNotBe(config);
    }

    [Fact]
    public void Eac3_names_the_channels_of_its_dependent_substreams()
    {
        // 5.1 in 768 bytes; then 256 bytes of strmtyp 1, stereo, whose chanmap has Lrs/Rrs and LFE2 (bits 6 and 14 from the left).
        byte[] main = new byte[768], dependent = new byte[256];
        Hex.Bits("0000101101110111 00 000 00101111111 00 11 111 1 10000").CopyTo(main, 0);
        Hex.Bits("0000101101110111 01 000 00001111111 00 11 010 0 10000 00000 0 1 0000001000000010").CopyTo(dependent, 0);
        Ac3.TryParseConfigFromFrame([.. main, .. dependent], out Config? config, out string? error).ShouldBeTrue(error);
        // 1,024 bytes in 32 ms; one dependent substream, chan_loc bits 1 and 8.
        Hex.Of(config.SampleEntryData.Span).ShouldBe("0800" + "200f03" + "02");
    }

    [Fact]
    public void Flac_stream_info_is_read_in_each_of_its_forms()
    {
        Flac.TryParseConfig(Vectors.FlacStart, out Config? marked, out string? error).ShouldBeTrue(error);
        (marked.CodecString, marked.SampleRate, marked.Channels, marked.SamplesPerFrame).ShouldBe(("flac", 48_000, 2, 4608));
        Hex.Of(marked.InitData.Span).ShouldStartWith("80000022" + "1200");
        Flac.TryParseConfig(Vectors.FlacStart.AsSpan(4), out Config? block, out _).ShouldBeTrue();
        Flac.TryParseConfig(Vectors.FlacStart.AsSpan(8), out Config? bare, out _).ShouldBeTrue();
        block.ShouldBe(marked);
        bare.ShouldBe(marked);
    }

    [Fact]
    public void Flac_frame_header_gives_the_samples()
    {
        Flac.TryParseFrame(Vectors.FlacFrame, out int samples, out int rate).ShouldBeTrue();
        (samples, rate).ShouldBe((4608, 48_000));
        Flac.TryParseFrame(Vectors.FlacLastFrame, out samples, out rate).ShouldBeTrue();
        (samples, rate).ShouldBe((384, 48_000));
        byte[] damaged = [.. Vectors.FlacFrame];
        damaged[3] ^= 0x10;
        Flac.TryParseFrame(damaged, out _, out _).ShouldBeFalse();
    }
}
