using System.Diagnostics;
using Millrace.Bench.Native;

namespace Millrace.Bench.Send;

/// <summary>The receivers of `send`: read until the sender ends each connection. One that wants objects asks with one byte for each.</summary>
internal sealed class SinkRun(int port, int connections, int paceMs, int objectBytes, bool copies, int segment) : IDisposable
{
    private static readonly byte[] Ask = [1];
    private readonly EpollSet _epoll = new();
    private readonly byte[] _scratch = new byte[256 * 1024];
    private readonly int[] _sockets = new int[connections];
    private readonly long[] _missing = new long[connections];
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>Returns the bytes that came. It ends when each connection was ended by the sender.</summary>
    /// <exception cref="InvalidOperationException">A connection failed.</exception>
    public long Run()
    {
        for (int i = 0; i < connections; i++)
        {
            _sockets[i] = RawTcp.StartConnect(port, i, segment: segment);
            _epoll.Add(_sockets[i], i, EpollSet.Out);
        }

        long bytes = 0;
        double lastPass = 0;
        for (int open = connections; open > 0;)
        {
            double wait = lastPass + (paceMs / 1000.0) - _clock.Elapsed.TotalSeconds;
            if (wait > 0.0005) Thread.Sleep((int)Math.Ceiling(wait * 1000));
            lastPass = _clock.Elapsed.TotalSeconds;
            int count = _epoll.Wait(1000);
            for (int i = 0; i < count; i++)
            {
                var (tag, events) = _epoll.Get(i);
                if ((events & EpollSet.Out) != 0)
                {
                    Begin(tag);
                    continue;
                }

                bytes += Read(tag, (events & EpollSet.PeerEnds) != 0, out bool ended);
                if (ended) open--;
            }
        }

        return bytes;
    }

    public void Dispose()
    {
        foreach (int fd in _sockets)
        {
            if (fd > 0) _ = Libc.close(fd);
        }

        _epoll.Dispose();
    }

    private void Begin(int tag)
    {
        if (RawTcp.ConnectError(_sockets[tag]) is var error and not 0) throw new InvalidOperationException($"connect: errno {error}");
        _epoll.Modify(_sockets[tag], tag, EpollSet.In | EpollSet.PeerEnds | EpollSet.Edge);
        if (objectBytes > 0) AskFor(tag);
    }

    private void AskFor(int tag)
    {
        _missing[tag] += objectBytes;
        if (!RawTcp.SendAll(_sockets[tag], Ask)) throw new InvalidOperationException("a request could not be sent");
    }

    private long Read(int tag, bool isLast, out bool ended)
    {
        ended = false;
        long bytes = 0;
        while (true)
        {
            int n = copies ? RawTcp.Receive(_sockets[tag], _scratch) : RawTcp.Discard(_sockets[tag]);
            if (n is -Libc.EAGAIN or -Libc.EINTR) break;
            if (n < 0) throw new InvalidOperationException($"receive: errno {-n}");
            ended = n == 0;
            bytes += n;
            // A read that was not filled has emptied the socket, but for its end.
            if (ended || (!isLast && (!copies || n < _scratch.Length))) break;
        }

        if (ended)
        {
            _ = Libc.close(_sockets[tag]);
            _sockets[tag] = 0;
        }
        else if (objectBytes > 0 && (_missing[tag] -= bytes) == 0)
        {
            AskFor(tag);
        }

        return bytes;
    }
}
