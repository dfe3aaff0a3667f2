using System.Text;
using Millrace.Node.Http;

namespace Millrace.Node.Tests.Http;

public sealed class HttpResponseReaderTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nServer: x\r\n\r\nFLVabc", "FLVabc", false)]
    [InlineData("HTTP/1.0 200\nContent-Type: video/x-flv\n\nFLVabc", "FLVabc", false)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nFLVabcmore", "FLVabc", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nFLV\r\n3;a=b\r\nabc\r\n0\r\n\r\n", "FLVabc", true)]
    public void The_body_comes_without_its_framing_however_it_is_cut(string text, string expected, bool isEnded)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var size = 1; size <= bytes.Length; size++)
        {
            var reader = new HttpResponseReader();
            Read(reader, bytes, size).ShouldBe(expected);
            reader.Error.ShouldBeNull();
            reader.Status.ShouldBe(200);
            reader.IsEnded.ShouldBe(isEnded);
        }
    }

    [Fact]
    public void A_redirect_says_where_to()
    {
        var reader = new HttpResponseReader();
        Read(reader, "HTTP/1.1 302 Found\r\nLOCATION:  http://h/x.flv?a=b \r\nContent-Length: 0\r\n\r\n"u8.ToArray(), 7).ShouldBe("");
        (reader.Status, reader.Location, reader.IsEnded).ShouldBe((302, "http://h/x.flv?a=b", true));
    }

    [Theory]
    [InlineData("FLV\u0001\r\n\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n")]
    [InlineData("HTTP/2 200\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFLV\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n")]
    public void What_is_no_response_is_an_error(string text)
    {
        var reader = new HttpResponseReader();
        Read(reader, Encoding.Latin1.GetBytes(text), 5);
        reader.Error.ShouldNotBeNull();
    }

    [Fact]
    public void A_head_without_an_end_is_an_error()
    {
        var reader = new HttpResponseReader();
        Read(reader, Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n" + new string('a', 20_000)), 1000);
        reader.Error.ShouldNotBeNull();
    }

    private static string Read(HttpResponseReader reader, byte[] bytes, int size)
    {
        var body = new StringBuilder();
        for (var offset = 0; offset < bytes.Length; offset += size)
        {
            ReadOnlySpan<byte> input = bytes.AsSpan(offset, Math.Min(size, bytes.Length - offset));
            while (reader.TryRead(input, out var consumed, out var piece))
            {
                body.Append(Encoding.ASCII.GetString(piece));
                input = input[consumed..];
            }
        }

        return body.ToString();
    }
}
