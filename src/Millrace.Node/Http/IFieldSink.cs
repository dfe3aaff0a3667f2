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

/// <summary>Field lines of HTTP/1.1 (RFC 9112 5). Names and values hold no line ends: they are ours, or of a request that had none.</summary>
internal readonly struct FieldLines(IBufferWriter<byte> target) : IFieldSink
{
    public void Add(string name, string value)
    {
        var line = target.GetSpan(Encoding.UTF8.GetMaxByteCount(name.Length + value.Length) + 4);
        var length = Encoding.UTF8.GetBytes(name, line);
        line[length++] = (byte)':';
        line[length++] = (byte)' ';
        length += Encoding.UTF8.GetBytes(value, line[length..]);
        line[length++] = (byte)'\r';
        line[length++] = (byte)'\n';
        target.Advance(length);
    }
}
