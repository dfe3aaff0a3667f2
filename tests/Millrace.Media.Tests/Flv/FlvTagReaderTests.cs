using Millrace.Media.Flv;

namespace Millrace.Media.Tests.Flv;

public sealed class FlvTagReaderTests
{
    /// <summary>Script, video at 0x01020304 ms, audio with no body; the previous sizes are wrong on purpose.</summary>
    internal static readonly byte[] File = Hex.Bytes(
        "464c5601050000000900000000 12000002000000000000000500 00000000 09000003020304010000001702ff 00000007 08000000ffffffff000000 0000000b");

    private const string Tags = "Script 0 0500|Video 16909060 1702ff|Audio 4294967295 ";

    [Fact]
    public void Header_and_tags_are_read_with_32_bit_times() => ReadAll(File, File.Length).ShouldBe(Tags);

    [Theory]
    [InlineData(9)] // begins with PreviousTagSize0
    [InlineData(13)] // begins with a tag
    public void A_stream_may_begin_without_the_file_header(int skip) => ReadAll(File[skip..], int.MaxValue).ShouldBe(Tags);

    [Fact]
    public void Every_cut_of_the_input_gives_the_same_tags()
    {
        for (int cut = 0; cut <= File.Length; cut++)
            ReadAll(File, cut).ShouldBe(Tags);
    }

    [Fact]
    public void A_longer_file_header_is_passed_over()
    {
        byte[] file = [.. Hex.Bytes("464c5601050000000b aabb"), .. File[9..]];
        ReadAll(file, 10).ShouldBe(Tags);
    }

    [Theory]
    [InlineData("464c560105ffffffff", "file header of 4294967295")]
    [InlineData("464c56010500000008", "file header of 8")]
    [InlineData("474554202f20485454502f", "tag type 71")]
    [InlineData("29000000000000000000 00", "tag type 41")]
    [InlineData("09000011000000000000 00", "17 bytes, more than 16")]
    public void Says_why_a_stream_is_refused(string input, string reason)
    {
        var reader = new FlvTagReader(maxBodyLength: 16);
        reader.TryRead(Hex.Bytes(input), out _, out _).ShouldBeFalse();
        reader.Error.ShouldNotBeNull().ShouldContain(reason);
    }

    [Fact]
    public void Writing_gives_back_what_was_read()
    {
        byte[] target = new byte[FlvFileHeader.Length];
        FlvFileHeader.Write(target, hasAudio: true, hasVideo: true);
        Hex.Of(target).ShouldBe("464c5601050000000900000000");

        byte[] tag = new byte[FlvTagHeader.Length];
        FlvTagHeader.Write(tag, FlvTagType.Video, 3, 0x01020304);
        Hex.Of(tag).ShouldBe("0900000302030401000000");
        byte[] trailer = new byte[FlvTagHeader.TrailerLength];
        FlvTagHeader.WriteTrailer(trailer, 3);
        Hex.Of(trailer).ShouldBe("0000000e");
        Should.Throw<ArgumentOutOfRangeException>(() => FlvTagHeader.Write(tag, FlvTagType.Audio, 1 << 24, 0));
    }

    /// <summary>Gives the first <paramref name="cut"/> bytes, then all; what is not consumed is given again.</summary>
    private static string ReadAll(byte[] file, int cut)
    {
        var tags = new List<string>();
        var reader = new FlvTagReader();
        int start = 0;
        foreach (int end in (int[])[Math.Min(cut, file.Length), file.Length])
        {
            bool hasTag;
            do
            {
                hasTag = reader.TryRead(file.AsSpan(start..end), out int consumed, out FlvTag tag);
                start += consumed;
                if (hasTag)
                    tags.Add($"{tag.Type} {tag.TimestampMs} {Hex.Of(tag.Body)}");
            }
            while (hasTag);
        }

        reader.Error.ShouldBeNull();
        return string.Join('|', tags);
    }
}
