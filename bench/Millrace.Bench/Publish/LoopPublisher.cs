using Millrace.Bench.Native;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Publish;

/// <summary>One publisher's socket. Its frames come out of the turns that all publishers share; only its place in them is its own.</summary>
internal sealed class LoopPublisher(int port, int source, RtmpClient client, double phaseMs)
{
    private int _fd = RawTcp.StartConnect(port, source);
    private LoopClip? _clip;
    private byte[] _head = [];
    private int _headSent;
    private bool _connected;
    private int _turn;
    private int _next;
    private int _offset;

    public int Fd => _fd;
    public bool Alive => _fd >= 0;
    public bool Accepted => client.Started;
    public uint MessageStream => client.MessageStream;
    public string? Reason { get; private set; }

    /// <summary>Everything that was sent, handshake included.</summary>
    public long Bytes { get; private set; }
    public long Sends { get; private set; }

    /// <summary>The largest time from when a frame was due to when it had been sent; the fleet sets it back.</summary>
    public double WorstLatenessMs { get; set; }

    /// <summary>What the server says: answers, acknowledgements, pings.</summary>
    public void OnEvent(EpollSet epoll, int tag, byte[] scratch)
    {
        if (!_connected)
        {
            Connect(epoll, tag);
            return;
        }

        int n = RawTcp.Receive(_fd, scratch);
        if (n == -Libc.EAGAIN || n == -Libc.EINTR) return;
        if (n <= 0)
        {
            Fail(n == 0 ? "closed by the server" : $"receive: errno {-n}");
            return;
        }

        try
        {
            client.Feed(scratch.AsSpan(0, n));
        }
        catch (InvalidDataException e)
        {
            Fail(e.Message);
            return;
        }

        if (_clip is null) FlushControl();
    }

    /// <summary>Begins with the clip's next key frame that is due after <paramref name="nowMs"/>.</summary>
    public void Begin(LoopClip clip, double nowMs)
    {
        (_clip, _head) = (clip, clip.Head);
        double local = Math.Max(0, nowMs - phaseMs);
        _turn = (int)(local / clip.PeriodMs);
        double within = local - (_turn * (double)clip.PeriodMs);
        _next = Enumerable.Range(0, clip.DueMs.Length).FirstOrDefault(i => clip.IsKey[i] && clip.DueMs[i] >= within, clip.DueMs.Length);
        if (_next == clip.DueMs.Length) (_turn, _next) = (_turn + 1, 0);
        _offset = -1;
    }

    /// <summary>Sends all frames that are due with one call, as far as the socket takes them.</summary>
    public void Send(double nowMs)
    {
        var clip = _clip!;
        while (Alive && DueAt() <= nowMs - phaseMs)
        {
            if (clip.TryGetTurn(_turn) is not { } turn)
            {
                Fail("a whole turn of the clip late");
                return;
            }

            int start = _next == 0 ? 0 : turn.Ends[_next - 1];
            if (_offset < 0) _offset = start;
            if (_offset == start) FlushControl();
            double due = DueAt(), local = nowMs - phaseMs - (_turn * (double)clip.PeriodMs);
            int last = _next;
            while (last + 1 < clip.DueMs.Length && clip.DueMs[last + 1] <= local) last++;
            if (!Alive || !TrySendUntil(turn, turn.Ends[last])) return;
            WorstLatenessMs = Math.Max(WorstLatenessMs, nowMs - phaseMs - due);
            _next = last + 1;
            if (_next == clip.DueMs.Length) (_turn, _next, _offset) = (_turn + 1, 0, 0);
        }
    }

    /// <summary>How long the oldest frame that is not sent has been due.</summary>
    public double LatenessMs(double nowMs) => _clip is null || !Alive ? 0 : Math.Max(0, nowMs - phaseMs - DueAt());

    /// <summary>How much more of the clip was due at <paramref name="toMs"/> than at <paramref name="fromMs"/>.</summary>
    public long BytesDue(double fromMs, double toMs) => _clip is null ? 0 : _clip.BytesDue(toMs - phaseMs) - _clip.BytesDue(fromMs - phaseMs);

    public void Close()
    {
        if (_fd >= 0) _ = Libc.close(_fd);
        _fd = -1;
    }

    private double DueAt() => (_turn * (double)_clip!.PeriodMs) + _clip.DueMs[_next];

    private void Connect(EpollSet epoll, int tag)
    {
        if (RawTcp.ConnectError(_fd) is var error and not 0)
        {
            Fail($"connect: errno {error}");
            return;
        }

        _connected = true;
        epoll.Modify(_fd, tag, EpollSet.In);
        client.Open();
        FlushControl();
    }

    private bool TrySendUntil(LoopClip.Turn turn, int end)
    {
        if (_headSent < _head.Length)
        {
            int sent = SendSome(_head.AsSpan(_headSent));
            _headSent += sent;
            if (_headSent < _head.Length) return false;
        }

        _offset += SendSome(turn.Bytes.WrittenSpan[_offset..end]);
        return _offset == end;
    }

    // Answers to pings are a few bytes, and go out between two messages.
    private void FlushControl()
    {
        if (client.Output.WrittenCount == 0) return;
        int sent = SendSome(client.Output.WrittenSpan);
        if (Alive && sent < client.Output.WrittenCount) Fail("the socket took no answer to the server");
        client.Output.ResetWrittenCount();
    }

    private int SendSome(ReadOnlySpan<byte> bytes)
    {
        int n = RawTcp.Send(_fd, bytes);
        Sends++;
        if (n >= 0)
        {
            Bytes += n;
            return n;
        }

        if (n != -Libc.EAGAIN && n != -Libc.EINTR) Fail($"send: errno {-n}");
        return 0;
    }

    private void Fail(string reason)
    {
        Reason = reason;
        Close();
    }
}
