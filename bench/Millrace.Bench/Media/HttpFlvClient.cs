using System.Buffers;
using System.Globalization;
using System.Text;
using Millrace.Bench.Load;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Media;

/// <summary>A viewer of HTTP-FLV: one GET, a body with or without chunked coding (RFC 9112, 7.1).</summary>
internal sealed class HttpFlvClient(int port, string app, string name) : MediaClient
{
    private readonly ByteQueue _input = new();
    private readonly FlvReader _reader = new();
    private bool _headRead;
    private bool _chunked;
    private int _chunkLeft;

    public override void Open()
    {
        Output.Write(Encoding.ASCII.GetBytes($"GET /{app}/{name}.flv HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: millrace-bench\r\n\r\n"));
        Asked = true;
    }

    public override void Feed(ReadOnlySpan<byte> bytes)
    {
        if (_headRead && !_chunked)
        {
            _reader.Append(bytes);
        }
        else
        {
            _input.Append(bytes);
            if (!_headRead && !TryReadHead()) return;
            TakeBody();
        }

        while (_reader.TryRead(out var tag))
        {
            if (tag.IsMedia) Deliver(tag);
        }
    }

    private bool TryReadHead()
    {
        int end = _input.Span.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        string head = Encoding.ASCII.GetString(_input.Span[..end]);
        if (!head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal)) throw new InvalidDataException("refused: " + head.Split('\r')[0]);
        _chunked = head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase);
        _input.Consume(end + 4);
        return _headRead = true;
    }

    private void TakeBody()
    {
        if (!_chunked)
        {
            _reader.Append(_input.Span);
            _input.Consume(_input.Span.Length);
            return;
        }

        while (true)
        {
            if (_chunkLeft == 0 && !TryReadChunkSize()) return;
            int take = Math.Min(_chunkLeft, _input.Span.Length);
            if (take == 0) return;
            _reader.Append(_input.Span[..take]);
            _input.Consume(take);
            _chunkLeft -= take;
        }
    }

    private bool TryReadChunkSize()
    {
        var span = _input.Span;
        int skip = span.StartsWith("\r\n"u8) ? 2 : 0; // ends the chunk before
        int end = span[skip..].IndexOf("\r\n"u8);
        if (end < 0) return false;
        string size = Encoding.ASCII.GetString(span.Slice(skip, end)).Split(';')[0];
        if (!int.TryParse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out _chunkLeft) || _chunkLeft <= 0)
        {
            throw new InvalidDataException($"chunk size '{size}'");
        }

        _input.Consume(skip + end + 2);
        return true;
    }
}
