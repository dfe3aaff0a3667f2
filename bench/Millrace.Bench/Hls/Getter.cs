using System.Buffers;
using System.Buffers.Text;
using Millrace.Bench.Native;

namespace Millrace.Bench.Hls;

/// <summary>One keep-alive connection of HTTP/1.1 that asks for one thing at a time. Answers must have a Content-Length and status 200.</summary>
/// <param name="port">On 127.0.0.1.</param>
/// <param name="source">Number of its source address.</param>
/// <param name="keepsBody">See <see cref="KeepsBody"/>.</param>
/// <param name="stamps">Fills <see cref="ArrivedUnix"/>.</param>
internal sealed class Getter(int port, int source, bool keepsBody, bool stamps)
{
    // Of an answer whose body is dropped: takes the head, and a small body with it.
    private const int FirstRead = 16 * 1024;

    private readonly ArrayBufferWriter<byte> _pieces = new(1);
    private long _left;
    private bool _isHeadRead;

    public int Fd { get; private set; } = Connect(port, source, stamps);
    public bool Connected { get; private set; }

    /// <summary>A request has been sent whose answer is not complete.</summary>
    public bool Busy { get; private set; }
    public string? Reason { get; private set; }
    public bool Alive => Fd >= 0;

    /// <summary>Which of its set it is, from 0 on.</summary>
    public int Number => source;

    /// <summary>Whether <see cref="Body"/> of the next answer is wanted; else bodies are dropped uncopied once their head has been read.</summary>
    public bool KeepsBody { get; set; } = keepsBody;

    /// <summary>For the caller's use: which of its questions this connection has asked.</summary>
    public int Round { get; set; }

    /// <summary>Bytes received, heads included.</summary>
    public long Bytes { get; private set; }

    /// <summary>Content-Length of the last answer.</summary>
    public long BodyLength { get; private set; }

    /// <summary>When the last byte that was read had come to the socket, seconds of Unix time: however late this program came to read it.</summary>
    public double ArrivedUnix { get; private set; }

    /// <summary>The answer's body, until the next event of any connection.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    public void Ask(ReadOnlySpan<byte> request)
    {
        Busy = true;
        if (!RawTcp.SendAll(Fd, request)) Fail("send");
    }

    /// <summary>Handles an event; true when it completed an answer.</summary>
    public bool OnEvent(EpollSet epoll, int tag, uint events, byte[] scratch)
    {
        if (!Connected)
        {
            if (RawTcp.ConnectError(Fd) is var error and not 0) Fail($"connect: errno {error}");
            else epoll.Modify(Fd, tag, EpollSet.In);
            Connected = Alive;
            return false;
        }

        if ((events & (EpollSet.In | EpollSet.HangUp | EpollSet.Error)) == 0) return false;
        if (!Receive(scratch)) return false;
        // More of it is nearly always there already.
        if (!KeepsBody && _left > 0) Receive(scratch);
        if (!Alive || !_isHeadRead || _left > 0) return false;
        Busy = _isHeadRead = false;
        return true;
    }

    public void Close()
    {
        if (Fd >= 0) _ = Libc.close(Fd);
        Fd = -1;
    }

    /// <summary>Reads once; false when nothing came, or no more will.</summary>
    private bool Receive(byte[] scratch)
    {
        bool discards = _isHeadRead && !KeepsBody;
        var into = discards ? default : KeepsBody ? scratch : scratch.AsSpan(0, FirstRead);
        int n = stamps ? ReceiveStamped(into) : discards ? RawTcp.Discard(Fd) : RawTcp.Receive(Fd, into);
        if (n is -Libc.EAGAIN or -Libc.EINTR) return false;
        if (n <= 0 || !Busy)
        {
            Fail(n == 0 ? "closed by the server" : n < 0 ? $"receive: errno {-n}" : "an answer without a request");
            return false;
        }

        Bytes += n;
        if (discards) _left -= n;
        else Take(scratch.AsMemory(0, n));
        if (_left < 0) Fail("more bytes than Content-Length says");
        return Alive;
    }

    private int ReceiveStamped(Span<byte> into)
    {
        int n = RawTcp.ReceiveStamped(Fd, into, out double arrived);
        if (n > 0 && arrived == 0) throw new InvalidOperationException("this kernel does not say when bytes arrive (SO_TIMESTAMPNS)");
        if (n > 0) ArrivedUnix = arrived;
        return n;
    }

    private static int Connect(int port, int source, bool stamps)
    {
        int fd = RawTcp.StartConnect(port, source);
        if (stamps) RawTcp.StampArrivals(fd);
        return fd;
    }

    private void Take(ReadOnlyMemory<byte> bytes)
    {
        // Nearly always the whole answer, or all of the head, comes in one read, and is not copied.
        if (_pieces.WrittenCount > 0)
        {
            _pieces.Write(bytes.Span);
            bytes = _pieces.WrittenMemory;
        }

        int head = bytes.Span.IndexOf("\r\n\r\n"u8) + 4;
        _isHeadRead = head >= 4 && TryReadHead(bytes.Span[..head]);
        _left = _isHeadRead ? head + BodyLength - bytes.Length : 0;
        bool isIncomplete = !_isHeadRead || (KeepsBody && _left > 0);
        if (isIncomplete && _pieces.WrittenCount == 0) _pieces.Write(bytes.Span);
        if (isIncomplete) return;
        _pieces.ResetWrittenCount();
        Body = KeepsBody ? bytes[head..] : default;
    }

    private bool TryReadHead(ReadOnlySpan<byte> head)
    {
        var length = "\r\nContent-Length: "u8;
        int at = head.IndexOf(length);
        if (head.StartsWith("HTTP/1.1 200"u8) && at > 0 && Utf8Parser.TryParse(head[(at + length.Length)..], out long value, out _))
        {
            BodyLength = value;
            return true;
        }

        Fail("refused: " + System.Text.Encoding.ASCII.GetString(head[..Math.Max(0, head.IndexOf((byte)'\r'))]));
        return false;
    }

    private void Fail(string reason)
    {
        Reason ??= reason;
        Close();
    }
}
