using System.Buffers;
using Millrace.Media.Codecs;

namespace Millrace.Media.Tests.Codecs;

public sealed class NalTests
{
    private static readonly byte[] KeyUnit = Vectors.Unit(Vectors.AvcDelimiter, Vectors.AvcSps, Vectors.AvcPps, Vectors.AvcIdr);

    private static readonly byte[] HevcKeyUnit =
        Vectors.Unit(Vectors.HevcDelimiter, Vectors.HevcVps, Vectors.HevcSps, Vectors.HevcPps, Vectors.HevcIdr);

    [Fact]
    public void Annex_b_becomes_length_prefixed()
    {
        var output = new ArrayBufferWriter<byte>();
        AnnexB.WriteLengthPrefixed(Vectors.AvcByteStream, output).ShouldBe(4);
        Hex.Of(output.WrittenSpan).ShouldBe(Hex.Of(KeyUnit));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("0910", 0)]
    [InlineData("000001", 0)]
    [InlineData("000001 000001 0000010910", 1)]
    [InlineData("00000000 0109 100000", 1)]
    public void Annex_b_passes_over_empty_units_and_zero_padding(string stream, int units)
    {
        var output = new ArrayBufferWriter<byte>();
        AnnexB.WriteLengthPrefixed(Hex.Bytes(stream), output).ShouldBe(units);
        if (units == 1)
            Hex.Of(output.WrittenSpan).ShouldBe("000000020910");
    }

    [Theory]
    [InlineData("0000000165 00000000 0000000141", 4, 2, false)]
    [InlineData("000165 000141", 2, 2, false)]
    [InlineData("0165 0141", 1, 2, false)]
    [InlineData("000000", 4, 0, true)]
    [InlineData("00000002 65", 4, 0, true)]
    [InlineData("ffffffff 65", 4, 0, true)]
    [InlineData("0165", 0, 0, true)]
    [InlineData("0165", 5, 0, true)]
    public void Walks_length_prefixed_units(string unit, int lengthSize, int units, bool isMalformed)
    {
        int count = 0;
        var reader = new NalReader(Hex.Bytes(unit), lengthSize);
        while (reader.TryRead(out _))
            count++;
        (count, reader.IsMalformed).ShouldBe((units, isMalformed));
        reader.TryRead(out _).ShouldBeFalse();
    }

    [Fact]
    public void Too_many_units_are_malformed()
    {
        byte[] units = new byte[2 * (NalReader.MaxNalUnits + 1)];
        for (int i = 0; i < units.Length; i++)
            units[i] = 1;
        NalUnits.Inspect(Codec.H264, units.AsSpan(2), 1).IsValid.ShouldBeTrue();
        NalUnits.Inspect(Codec.H264, units, 1).IsValid.ShouldBeFalse();
    }

    [Fact]
    public void Inspect_finds_keys_sets_and_delimiters()
    {
        NalUnits.Inspect(Codec.H264, KeyUnit, 4).ShouldBe(new NalSummary(true, true, true, true));
        NalUnits.Inspect(Codec.H264, Vectors.Unit(Vectors.AvcSlice), 4).ShouldBe(new NalSummary(true, false, false, false));
        NalUnits.Inspect(Codec.Hevc, HevcKeyUnit, 4).ShouldBe(new NalSummary(true, true, true, true));
    }

    [Fact]
    public void Strip_leaves_only_what_belongs_into_the_log()
    {
        var output = new ArrayBufferWriter<byte>();
        NalUnits.TryStrip(Codec.H264, KeyUnit, 4, output).ShouldBeTrue();
        Hex.Of(output.WrittenSpan).ShouldBe("00000006" + "6588843a0c61");

        output.ResetWrittenCount();
        NalUnits.TryStrip(Codec.Hevc, HevcKeyUnit, 4, output).ShouldBeTrue();
        Hex.Of(output.WrittenSpan).ShouldBe("00000006" + "2801af055427");
    }

    [Fact]
    public void Sets_of_another_hevc_layer_stay_with_their_pictures()
    {
        byte[] otherLayer = [0x42, 0x09, .. Vectors.HevcSps[2..]];
        NalUnits.Inspect(Codec.Hevc, Vectors.Unit(otherLayer), 4).NeedsStrip.ShouldBeFalse();
    }

    [Fact]
    public void Strip_keeps_the_size_of_the_length_prefixes()
    {
        var output = new ArrayBufferWriter<byte>();
        NalUnits.TryStrip(Codec.H264, Hex.Bytes("0002 0910 0003 658884"), 2, output).ShouldBeTrue();
        Hex.Of(output.WrittenSpan).ShouldBe("0003658884");
    }

    [Fact]
    public void First_parameter_sets_make_a_config()
    {
        ParameterSets.TryUpdate(Codec.H264, null, KeyUnit, 4, out Config? avc, out string? error).ShouldBeTrue(error);
        (avc.CodecString, avc.Width, avc.Height).ShouldBe(("avc1.42c00b", 160, 90));
        ParameterSets.TryUpdate(Codec.Hevc, null, HevcKeyUnit, 4, out Config? hevc, out error).ShouldBeTrue(error);
        (hevc.CodecString, hevc.Width, hevc.Height).ShouldBe(("hvc1.1.6.L30.90", 160, 90));
    }

    [Fact]
    public void Repeated_parameter_sets_change_nothing_and_allocate_nothing()
    {
        ParameterSets.TryUpdate(Codec.H264, null, KeyUnit, 4, out Config? config, out _).ShouldBeTrue();
        ParameterSets.TryUpdate(Codec.H264, config, KeyUnit, 4, out _, out _).ShouldBeFalse();
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool changed = ParameterSets.TryUpdate(Codec.H264, config, KeyUnit, 4, out _, out string? error);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        (changed, error, allocated).ShouldBe((false, null, 0));
    }

    [Fact]
    public void A_set_of_the_same_id_replaces_the_one_before()
    {
        H264.TryParseConfig(Vectors.AvcHigh, out Config? current, out _).ShouldBeTrue();
        ParameterSets.TryUpdate(Codec.H264, current, KeyUnit, 4, out Config? changed, out _).ShouldBeTrue();
        H264.TryBuildConfig(Vectors.AvcSps, Vectors.AvcPps, out Config? expected, out _).ShouldBeTrue();
        changed.ShouldBe(expected);
    }

    [Fact]
    public void A_set_of_another_id_is_added()
    {
        H264.TryBuildConfig(Vectors.AvcSps, Vectors.AvcPps, out Config? current, out _).ShouldBeTrue();
        byte[] secondPps = Hex.Bits("01101000 010 1 0000 1111 0000"); // id 1
        ParameterSets.TryUpdate(Codec.H264, current, Vectors.Unit(secondPps), 4, out Config? changed, out _).ShouldBeTrue();
        Hex.Of(changed.InitData.Span).ShouldEndWith("02" + "0005" + "68ce018720" + "0003" + Hex.Of(secondPps));
    }

    [Fact]
    public void A_flood_of_parameter_sets_is_refused()
    {
        var units = new List<byte[]> { Vectors.AvcSps };
        for (int id = 0; id < 100; id++)
            units.Add(Hex.Bits("01101000" + "000000" + Convert.ToString(id + 100, 2).PadLeft(7, '0') + "1"));
        ParameterSets.TryUpdate(Codec.H264, null, Vectors.Unit([.. units]), 4, out _, out string? error).ShouldBeFalse();
        error.ShouldNotBeNull().ShouldContain("64");
    }

    [Fact]
    public void A_unit_without_sets_or_with_only_a_pps_makes_no_config()
    {
        ParameterSets.TryUpdate(Codec.H264, null, Vectors.Unit(Vectors.AvcSlice), 4, out _, out string? error).ShouldBeFalse();
        error.ShouldBeNull();
        ParameterSets.TryUpdate(Codec.H264, null, Vectors.Unit(Vectors.AvcPps), 4, out _, out error).ShouldBeFalse();
        error.ShouldNotBeNull();
    }
}
