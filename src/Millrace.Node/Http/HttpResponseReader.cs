using System.Globalization;
using System.Text;

namespace Millrace.Node.Http;

/// <summary>Reads one HTTP/1.1 response (RFC 9112) as its bytes arrive: its head, then its body without framing.</summary>
internal sealed class HttpResponseReader
{
    /// <summary>Longest head, and longest line between two chunks, bytes.</summary>
    private const int MaxHeadBytes = 16 * 1024;
    private const int MaxLineBytes = 256;

    private readonly List<byte> _line = new(512);
    private Phase _phase = Phase.Head;
    private long _left = long.MaxValue;
    private bool _isChunked;

    private enum Phase
    {
        Head,
        ChunkSize,
        Data,

        /// <summary>The line break behind a chunk.</summary>
        ChunkEnd,
        Ended,
    }

    /// <summary>0 before the head is complete.</summary>
    public int Status { get; private set; }

    /// <summary>Where a redirect leads; empty without.</summary>
    public string Location { get; private set; } = "";

    /// <summary>The body is complete.</summary>
    public bool IsEnded => _phase == Phase.Ended;

    /// <summary>Why nothing more can be read.</summary>
    public string? Error { get; private set; }

    /// <summary>Reads on. False when <paramref name="input"/> is used up, at the end, or after an error; it need not be given again.</summary>
    /// <param name="input">What has come.</param>
    /// <param name="consumed">Bytes that are done with.</param>
    /// <param name="body">With true: the next bytes of the body; empty when the head has just become complete.</param>
    public bool TryRead(ReadOnlySpan<byte> input, out int consumed, out ReadOnlySpan<byte> body)
    {
        consumed = 0;
        body = default;
        while (Error is null && consumed < input.Length && _phase != Phase.Ended)
        {
            if (_phase == Phase.Data)
            {
                var length = (int)Math.Min(_left, input.Length - consumed);
                body = input.Slice(consumed, length);
                consumed += length;
                Pass(length);
                return true;
            }

            _line.Add(input[consumed++]);
            if (_line.Count > (_phase == Phase.Head ? MaxHeadBytes : MaxLineBytes))
                Error = "an HTTP head or line that is too long";
            else if (_line[^1] == '\n' && TakeLine())
                return true;
        }

        return false;
    }

    private void Pass(int length)
    {
        if (_left == long.MaxValue)
            return;
        _left -= length;
        if (_left == 0)
            _phase = _isChunked ? Phase.ChunkEnd : Phase.Ended;
    }

    /// <summary>True when the head is complete.</summary>
    private bool TakeLine()
    {
        if (_phase == Phase.Head)
        {
            var isEnd = _line is [.., (byte)'\n', (byte)'\r', (byte)'\n'] or [.., (byte)'\n', (byte)'\n'];
            if (!isEnd)
                return false;
            ReadHead(TakeText());
            return Error is null;
        }

        var text = TakeText().TrimEnd('\r', '\n');
        if (_phase == Phase.ChunkEnd)
        {
            _phase = Phase.ChunkSize;
            Error = text.Length > 0 ? "an HTTP chunk that is longer than it says" : null;
            return false;
        }

        var end = text.IndexOf(';', StringComparison.Ordinal);
        if (!long.TryParse((end < 0 ? text : text[..end]).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _left) || _left < 0)
            Error = "an HTTP chunk without a length";
        else
            _phase = _left > 0 ? Phase.Data : Phase.Ended;
        return false;
    }

    private void ReadHead(string head)
    {
        var lines = head.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var words = lines.Length > 0 ? lines[0].Split(' ', 3) : [];
        if (words is not [var version, var status, ..] || !version.StartsWith("HTTP/1.", StringComparison.Ordinal)
            || status.Length != 3 || !int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
        {
            Error = "what comes is no HTTP response";
            return;
        }

        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
                ReadField(line[..colon].TrimEnd(), line[(colon + 1)..].Trim());
        }

        Status = code;
        _phase = _isChunked ? Phase.ChunkSize : _left == 0 ? Phase.Ended : Phase.Data;
    }

    private void ReadField(string name, string value)
    {
        if (name.Equals("Location", StringComparison.OrdinalIgnoreCase))
            Location = value;
        else if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            _isChunked = value.Equals("chunked", StringComparison.OrdinalIgnoreCase);
        else if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) && !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _left))
            Error = "a Content-Length that is no number";
    }

    private string TakeText()
    {
        var text = Encoding.Latin1.GetString([.. _line]);
        _line.Clear();
        return text;
    }
}
