using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Millrace.Node.Settings;

namespace Millrace.Node.Http;

/// <summary>How the end of a body is told (RFC 9112 6).</summary>
internal enum BodyFraming
{
    Length,
    Chunked,
    UntilClose,
}

/// <summary>The Connection field of an answer: nothing where the version's own rule holds (RFC 9112 9.3).</summary>
internal enum Persistence
{
    Implied,
    KeepAlive,
    Close,
}

/// <summary>Writes the head of a shard's HTTP/1.1 answer.</summary>
internal static class HttpAnswerHead
{
    /// <summary>Date changes once a second, and is the same for all who ask in between.</summary>
    private const long DateMicros = 1_000_000;

    private static volatile DateLine _date = new([], 0);

    public static void Write(ArrayBufferWriter<byte> target, MediaAnswer answer, NodeSettings settings, BodyFraming framing, Persistence persistence)
    {
        target.Write(StatusLine(answer.Status));
        target.Write(Date());
        var fields = new FieldLines(target);
        answer.AddFields(settings, ref fields);
        if (framing == BodyFraming.Chunked)
            target.Write("Transfer-Encoding: chunked\r\n"u8);
        else if (framing == BodyFraming.Length && answer.Status != 304)
            AddLength(target, answer.Body.Length);
        target.Write(persistence switch
        {
            Persistence.Close => "Connection: close\r\n\r\n"u8,
            Persistence.KeepAlive => "Connection: keep-alive\r\n\r\n"u8,
            _ => "\r\n"u8,
        });
    }

    private static void AddLength(IBufferWriter<byte> target, long length)
    {
        target.Write("Content-Length: "u8);
        var digits = target.GetSpan(20);
        Utf8Formatter.TryFormat(length, digits, out var count);
        target.Advance(count);
        target.Write("\r\n"u8);
    }

    /// <summary>The line as of now; the same array for a whole second.</summary>
    public static byte[] Date()
    {
        var date = _date;
        var now = NodeClock.Micros;
        if (now >= date.GoodUntil)
        {
            var unix = DateTimeOffset.UtcNow;
            _date = date = new DateLine(Encoding.ASCII.GetBytes($"Date: {unix:R}\r\n"), now + DateMicros - (unix.Ticks / TimeSpan.TicksPerMicrosecond % DateMicros));
        }

        return date.Bytes;
    }

    private static ReadOnlySpan<byte> StatusLine(int status) => status switch
    {
        200 => "HTTP/1.1 200 OK\r\n"u8,
        206 => "HTTP/1.1 206 Partial Content\r\n"u8,
        302 => "HTTP/1.1 302 Found\r\n"u8,
        304 => "HTTP/1.1 304 Not Modified\r\n"u8,
        307 => "HTTP/1.1 307 Temporary Redirect\r\n"u8,
        400 => "HTTP/1.1 400 Bad Request\r\n"u8,
        401 => "HTTP/1.1 401 Unauthorized\r\n"u8,
        403 => "HTTP/1.1 403 Forbidden\r\n"u8,
        404 => "HTTP/1.1 404 Not Found\r\n"u8,
        415 => "HTTP/1.1 415 Unsupported Media Type\r\n"u8,
        416 => "HTTP/1.1 416 Range Not Satisfiable\r\n"u8,
        431 => "HTTP/1.1 431 Request Header Fields Too Large\r\n"u8,
        502 => "HTTP/1.1 502 Bad Gateway\r\n"u8,
        503 => "HTTP/1.1 503 Service Unavailable\r\n"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "no media resource answers so"),
    };

    private sealed record DateLine(byte[] Bytes, long GoodUntil);
}
