using System.ComponentModel;
using Millrace.Bench.Native;

namespace Millrace.Bench.Send;

/// <summary>The sender's end of one connection, and what it has yet to be sent: the rest of a head, then bytes of the source.</summary>
internal sealed class Outlet(int fd, int index)
{
    public int Fd { get; } = fd;
    public int Index { get; } = index;

    /// <summary>Bytes of the object's head that are left.</summary>
    public int HeadLeft { get; set; }

    /// <summary>Next byte of the source, counted from the first ever written.</summary>
    public long Position { get; set; }

    /// <summary>Where the bytes of the source end that may be sent.</summary>
    public long End { get; set; }

    /// <summary>The socket took less than it was given and has been asked to tell when it takes more.</summary>
    public bool IsBlocked { get; set; }

    public bool HasBytes => HeadLeft > 0 || Position < End;

    public void Advance(long sent)
    {
        int ofHead = (int)Math.Min(sent, HeadLeft);
        HeadLeft -= ofHead;
        Position += sent - ofHead;
    }

    /// <exception cref="Win32Exception">The kernel knows no such option.</exception>
    public void Configure(SendVariant variant)
    {
        Set(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, variant.NoDelay ? 1 : 0);
        if (variant.SendBuffer > 0) Set(Libc.SOL_SOCKET, Libc.SO_SNDBUF, variant.SendBuffer);
        if (variant.NotSent > 0) Set(Libc.IPPROTO_TCP, Libc.TCP_NOTSENT_LOWAT, variant.NotSent);
        if (variant.Corked) Set(Libc.IPPROTO_TCP, Libc.TCP_CORK, 1);
        if (variant.Call == SendCall.ZeroCopy) Set(Libc.SOL_SOCKET, Libc.SO_ZEROCOPY, 1);
        if (variant.BusyPoll > 0) Set(Libc.SOL_SOCKET, Libc.SO_BUSY_POLL, variant.BusyPoll);
    }

    public void Set(int level, int name, int value)
    {
        if (Libc.setsockopt(Fd, level, name, in value, sizeof(int)) < 0) throw new Win32Exception();
    }
}
