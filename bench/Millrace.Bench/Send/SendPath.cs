using System.Runtime.InteropServices;
using Millrace.Bench.Native;

namespace Millrace.Bench.Send;

/// <summary>From the source into sockets. A path that batches takes <see cref="Send"/> as an order and does it by <see cref="Flush"/>.</summary>
internal abstract unsafe class SendPath(SendSource source, EpollSet epoll, int turnBytes) : IDisposable
{
    /// <summary>An HTTP answer's head.</summary>
    public const int HeadBytes = 200;

    protected const int SendLimit = 1 << 20;
    protected const int Flags = Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL;
    private static readonly byte[] HeadArray = GC.AllocateArray<byte>(HeadBytes, pinned: true);

    /// <summary>System calls that send.</summary>
    public long Calls { get; protected set; }

    /// <summary>Sends that took less than they were given: each costs two changes of epoll and an event.</summary>
    public long Partials { get; private set; }

    /// <summary>Bytes that the kernel took.</summary>
    public long Bytes { get; private set; }

    /// <summary>Completions of MSG_ZEROCOPY, and those of them that say that the kernel copied after all.</summary>
    public long Completions { get; protected set; }
    public long CopiedCompletions { get; protected set; }
    protected SendSource Source => source;

    protected static byte* Head { get; } = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(HeadArray, 0);

    public static SendPath Create(SendVariant variant, SendSource source, EpollSet epoll, IReadOnlyList<Outlet> outlets) => variant.Call switch
    {
        SendCall.File => new FilePath(source, epoll, variant),
        SendCall.Ring => new RingPath(source, epoll, outlets, variant.TurnBytes),
        _ => new MessagePath(source, epoll, variant),
    };

    public abstract void Send(Outlet outlet);

    public virtual void Flush()
    {
    }

    /// <summary>Handles EPOLLERR.</summary>
    public virtual void OnError(Outlet outlet) => throw new InvalidOperationException("a connection failed");

    public void Dispose() => Release();

    protected virtual void Release()
    {
    }

    /// <summary>The longest contiguous run that may be sent at once.</summary>
    protected (long Offset, int Length) NextRun(Outlet outlet)
    {
        long offset = outlet.Position % SendSource.Bytes;
        return (offset, (int)Math.Min(Math.Min(outlet.End - outlet.Position, SendSource.Bytes - offset), Math.Min(turnBytes, SendLimit)));
    }

    /// <summary>Counts what became of a send; true = there is more, and the socket may take it.</summary>
    protected bool Took(Outlet outlet, long wanted, long result)
    {
        if (result < 0 && result is not (-Libc.EAGAIN or -Libc.ENOBUFS)) throw new InvalidOperationException($"send: errno {-result}");
        long sent = Math.Max(0, result);
        outlet.Advance(sent);
        Bytes += sent;
        if (sent < wanted) Partials++;
        else if (wanted < turnBytes || !outlet.HasBytes) return outlet.HasBytes;
        if (!outlet.IsBlocked)
        {
            outlet.IsBlocked = true;
            epoll.Modify(outlet.Fd, outlet.Index, EpollSet.In | EpollSet.Out);
        }

        return false;
    }

    protected static long Result(nint result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();
}
