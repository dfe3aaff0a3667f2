using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Millrace.Node.Http;

/// <summary>Where the header fields of an answer go: a shard's bytes, or Kestrel's dictionary.</summary>
internal interface IFieldSink
{
    void Add(string name, string value);
}

internal readonly struct KestrelFields(IHeaderDictionary headers) : IFieldSink
{
    public void Add(string name, string value) => headers[name] = value;
}

/// <summary>
/// Field lines of HTTP/1.1 (RFC 9112 5). Names are ours. Values hold no line ends: they are ours, of a request that had none, or of another node and
/// checked where they were read. One that holds some all the same is sent with spaces for them (RFC 9110 5.5), so that it stays one line.
/// </summary>
internal readonly struct FieldLines(IBufferWriter<byte> target) : IFieldSink
{
    private static readonly SearchValues<byte> Dangerous = SearchValues.Create("\r\n\0"u8);

    public void Add(string name, string value)
    {
        var line = target.GetSpan(Encoding.UTF8.GetMaxByteCount(name.Length + value.Length) + 4);
        var length = Encoding.UTF8.GetBytes(name, line);
        line[length++] = (byte)':';
        line[length++] = (byte)' ';
        var text = line.Slice(length, Encoding.UTF8.GetBytes(value, line[length..]));
        while (text.IndexOfAny(Dangerous) is >= 0 and var at)
            text[at] = (byte)' ';
        length += text.Length;
        line[length++] = (byte)'\r';
        line[length++] = (byte)'\n';
        target.Advance(length);
    }
}
