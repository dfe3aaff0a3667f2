using Millrace.Bench.Native;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Load;

/// <summary>One viewer's socket. It parses until media arrives; then it only counts, unless it is one that checks.</summary>
internal sealed class Viewer
{
    private readonly MediaClient _client;
    private readonly bool _parseAlways;
    private long _acknowledged;
    private bool _connected;
    private bool _counting;

    public Viewer(int port, int source, MediaClient client, bool parseAlways, bool isSlow = false, int segment = 0)
    {
        _client = client;
        _parseAlways = parseAlways;
        Fd = RawTcp.StartConnect(port, source, isSlow, segment);
    }

    public int Fd { get; private set; }
    public long Bytes { get; private set; }

    /// <summary>For the fleet's use: the bytes at an earlier look.</summary>
    public long BytesBefore { get; set; }
    public bool Started => _client.Started;
    public bool Asked => _client.Asked;
    public bool Alive => Fd >= 0;
    public string? Reason { get; private set; }

    /// <summary>Handles one event; returns how many bytes came. One that parses reads no more than <paramref name="scratch"/> holds.</summary>
    public int OnEvent(EpollSet epoll, int tag, uint events, Span<byte> scratch)
    {
        if (!_connected) return Connected(epoll, tag);
        if ((events & (EpollSet.In | EpollSet.HangUp | EpollSet.Error)) == 0) return 0;
        bool discard = _counting;
        int n = discard ? RawTcp.Discard(Fd) : RawTcp.Receive(Fd, scratch);
        if (n == -Libc.EAGAIN || n == -Libc.EINTR) return 0;
        if (n <= 0)
        {
            Fail(n == 0 ? "closed by the server" : $"receive: errno {-n}");
            return 0;
        }

        Bytes += n;
        if (!discard && !TryFeed(scratch[..n])) return n;
        if (!discard && _client.Started && !_parseAlways) StartCounting(epoll, tag);
        if (_client.AckWindow > 0 && Bytes - _acknowledged >= _client.AckWindow) Acknowledge();
        return n;
    }

    /// <summary>From here on it only counts what comes, and another set watches it.</summary>
    public void CountIn(EpollSet to, int tag)
    {
        _counting = true;
        to.Add(Fd, tag, EpollSet.In | EpollSet.Edge);
    }

    /// <summary>Lets the server know that it is there.</summary>
    public void Beat()
    {
        if (!Alive || !_counting) return;
        _client.Beat();
        if (_client.Output.WrittenCount == 0) return;
        Flush();
        // Who has sent something acknowledges no more when it reads but when the next bytes come (tcp(7)): by loopback in the server's send, and
        // at its cost, where those who only read do it at their own.
        int one = 1;
        _ = Libc.setsockopt(Fd, Libc.IPPROTO_TCP, Libc.TCP_QUICKACK, in one, sizeof(int));
    }

    public void Close()
    {
        if (Fd >= 0) _ = Libc.close(Fd);
        Fd = -1;
    }

    private int Connected(EpollSet epoll, int tag)
    {
        if (RawTcp.ConnectError(Fd) is var error and not 0)
        {
            Fail($"connect: errno {error}");
            return 0;
        }

        _connected = true;
        epoll.Modify(Fd, tag, EpollSet.In);
        _client.Open();
        Flush();
        return 0;
    }

    // A counting viewer empties its socket with each read, so it needs no second look at it: edge-triggered.
    private void StartCounting(EpollSet epoll, int tag)
    {
        _counting = true;
        epoll.Modify(Fd, tag, EpollSet.In | EpollSet.Edge);
    }

    private bool TryFeed(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _client.Feed(bytes);
        }
        catch (InvalidDataException e)
        {
            Fail(e.Message);
            return false;
        }

        Flush();
        return Alive;
    }

    private void Acknowledge()
    {
        _acknowledged = Bytes;
        if (_client is RtmpClient rtmp) rtmp.WriteAcknowledgement(Bytes);
        Flush();
    }

    private void Flush()
    {
        if (_client.Output.WrittenCount == 0) return;
        if (!RawTcp.SendAll(Fd, _client.Output.WrittenSpan)) Fail("send");
        _client.Output.ResetWrittenCount();
    }

    private void Fail(string reason)
    {
        Reason = reason;
        Close();
    }
}
