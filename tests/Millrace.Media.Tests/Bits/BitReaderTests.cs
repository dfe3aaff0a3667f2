using Millrace.Media.Bits;

namespace Millrace.Media.Tests.Bits;

public sealed class BitReaderTests
{
    [Fact]
    public void Reads_fields_across_bytes_most_significant_bit_first()
    {
        var bits = new BitReader(Hex.Bytes("a5c3 ffff0000 1f"));
        bits.ReadBits(4).ShouldBe(0xAu);
        bits.ReadBits(8).ShouldBe(0x5Cu);
        bits.ReadFlag().ShouldBeFalse();
        bits.ReadBits(3).ShouldBe(3u);
        bits.ReadBits(32).ShouldBe(0xFFFF0000u);
        bits.BitsLeft.ShouldBe(8);
        bits.SkipBits(8);
        bits.Failed.ShouldBeFalse();
    }

    [Fact]
    public void Reading_past_the_end_gives_zero_and_stays_failed()
    {
        var bits = new BitReader([0xFF]);
        bits.ReadBits(9).ShouldBe(0u);
        bits.Failed.ShouldBeTrue();
        bits.ReadBits(1).ShouldBe(0u);
        bits.BitsLeft.ShouldBe(0);
    }

    [Theory]
    [InlineData("1", 0, 0)]
    [InlineData("010", 1, 1)]
    [InlineData("011", 2, -1)]
    [InlineData("00100", 3, 2)]
    [InlineData("00101", 4, -2)]
    [InlineData("0001000", 7, 4)]
    [InlineData("00000000 11111111 1", 510, -255)]
    public void Exp_golomb_codes_as_in_table_9_2_of_h264(string code, uint unsigned, int signed)
    {
        new BitReader(Hex.Bits(code)).ReadUe().ShouldBe(unsigned);
        new BitReader(Hex.Bits(code)).ReadSe().ShouldBe(signed);
    }

    [Fact]
    public void Exp_golomb_code_reads_up_to_31_leading_zeros_and_no_more()
    {
        new BitReader(Hex.Bytes("00000001 fffffffe")).ReadUe().ShouldBe(uint.MaxValue - 1);
        var bits = new BitReader(Hex.Bytes("00000000 ffffffff ff"));
        bits.ReadUe();
        bits.Failed.ShouldBeTrue();
    }

    [Theory]
    [InlineData("00000301", "000001")]
    [InlineData("000003", "0000")]
    [InlineData("0000030000030000", "000000000000")]
    [InlineData("000303", "000303")]
    [InlineData("00000303", "000003")]
    public void Skips_emulation_prevention_bytes_of_nal_units(string nal, string payload)
    {
        var bits = new BitReader(Hex.Bytes(nal), isNal: true);
        foreach (byte expected in Hex.Bytes(payload))
            bits.ReadBits(8).ShouldBe(expected);
        bits.Failed.ShouldBeFalse();
        bits.ReadFlag();
        bits.Failed.ShouldBeTrue();
    }
}
