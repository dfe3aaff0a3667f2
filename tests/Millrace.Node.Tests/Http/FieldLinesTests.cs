using System.Buffers;
using System.Text;
using Millrace.Node.Http;

namespace Millrace.Node.Tests.Http;

/// <summary>Whatever a value holds, a field is one line.</summary>
public sealed class FieldLinesTests
{
    [Theory]
    [InlineData("\"0123\"", "ETag: \"0123\"\r\n")]
    [InlineData("", "ETag: \r\n")]
    [InlineData("\u00e4", "ETag: \u00e4\r\n")]
    [InlineData("\"\r\nSet-Cookie: a=b\r\n\r\n", "ETag: \"  Set-Cookie: a=b    \r\n")]
    [InlineData("a\nb\rc\0d", "ETag: a b c d\r\n")]
    public void Line_ends_in_a_value_become_spaces(string value, string line)
    {
        var output = new ArrayBufferWriter<byte>();
        new FieldLines(output).Add("ETag", value);
        Encoding.UTF8.GetString(output.WrittenSpan).ShouldBe(line);
    }
}
