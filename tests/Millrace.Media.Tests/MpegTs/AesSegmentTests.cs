using System.Buffers;
using System.Security.Cryptography;
using Millrace.Media.MpegTs;

namespace Millrace.Media.Tests.MpegTs;

/// <summary>METHOD=AES-128; the vectors are of <c>openssl enc -aes-128-cbc</c> over the bytes 0, 1, 2 and so on.</summary>
public sealed class AesSegmentTests
{
    private static readonly byte[] Key = Hex.Bytes("000102030405060708090a0b0c0d0e0f");

    [Theory]
    [InlineData(0, 0, "954f64f2e4e86e9eee82d20216684899")]
    [InlineData(0, 123_456, "8c260bd50da5eb72dfad2204ca606a19")]
    [InlineData(15, 0, "b61e6af8da7260d2214369b951bf8963")]
    [InlineData(15, 123_456, "c5d6ca8f30c5095307bf620b9b1f8ffa")]
    [InlineData(16, 0, "0a940bb5416ef045f1c39458c653ea5ad172ce43bf147f4dffa206c1d372ddca")]
    [InlineData(16, 123_456, "b8ca224e6851cf785ed1fc7d94a340939801b21d58f004bb4825eb420bba2498")]
    [InlineData(40, 0, "0a940bb5416ef045f1c39458c653ea5a3cf456b4ca488aa383c79c98b34797cbf10396f0273335b8f91eeb5ebc481a74")]
    [InlineData(40, 123_456, "b8ca224e6851cf785ed1fc7d94a3409341ba16ee49f215987296342103e81d4cce4e1ff0c146a4aa9af348de27bb15f8")]
    public void Encrypts_as_openssl_does_however_the_segment_is_cut(int length, long sequence, string expected)
    {
        byte[] plain = [.. Enumerable.Range(0, length).Select(static i => (byte)i)];
        for (int run = 1; run <= length + 1; run++)
            Hex.Of(Encrypt(plain, sequence, run)).ShouldBe(expected, $"runs of {run}");
        AesSegment.LengthOf(length).ShouldBe(expected.Length / 2);
    }

    [Theory]
    [InlineData(200_000)]
    [InlineData(65_536)]
    [InlineData(188)]
    [InlineData(7)]
    public void A_large_segment_is_one_chain_of_blocks(int run)
    {
        byte[] plain = [.. Enumerable.Range(0, 200_000).Select(static i => (byte)(i * 7))];
        Hex.Of(SHA256.HashData(Encrypt(plain, 7, run))).ShouldBe("f10c18babc04d4505e015856699c15101044941f21cdde2287bf9e85f1609c6b");
    }

    [Fact]
    public void Keys_of_other_lengths_and_negative_numbers_are_a_bug_of_the_caller()
    {
        Should.Throw<ArgumentOutOfRangeException>(static () => new AesSegment(new byte[32], 0));
        Should.Throw<ArgumentOutOfRangeException>(static () => new AesSegment(Key, -1));
    }

    private static byte[] Encrypt(ReadOnlySpan<byte> plain, long sequence, int run)
    {
        var output = new ArrayBufferWriter<byte>();
        using var segment = new AesSegment(Key, sequence);
        for (; plain.Length > run; plain = plain[run..])
            segment.Append(plain[..run], output);
        segment.Append(plain, output);
        segment.End(output);
        return output.WrittenSpan.ToArray();
    }
}
