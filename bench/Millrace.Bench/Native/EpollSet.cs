using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Millrace.Bench.Native;

/// <summary>One epoll instance; each descriptor carries a number of the caller's choice.</summary>
internal sealed unsafe class EpollSet : IDisposable
{
    public const uint In = 0x001;
    public const uint Out = 0x004;
    public const uint Error = 0x008;
    public const uint HangUp = 0x010;
    public const uint PeerEnds = 0x2000; // EPOLLRDHUP
    public const uint Edge = 1u << 31;

    private const int Capacity = 4096;
    private const int OpAdd = 1;
    private const int OpModify = 3;

    // struct epoll_event is packed on x86-64 only (uapi/linux/eventpoll.h): 12 bytes there, 16 elsewhere.
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = Stride - 8;

    private readonly int _fd;
    private readonly byte[] _events = GC.AllocateArray<byte>(Capacity * 16, pinned: true);

    public EpollSet()
    {
        _fd = Libc.epoll_create1(Libc.SOCK_CLOEXEC);
        if (_fd < 0) throw new Win32Exception();
    }

    public void Add(int fd, int tag, uint interest) => Control(OpAdd, fd, tag, interest);

    public void Modify(int fd, int tag, uint interest) => Control(OpModify, fd, tag, interest);

    /// <summary>Waits at most <paramref name="timeoutMilliseconds"/>; returns how many events <see cref="Get"/> can read.</summary>
    public int Wait(int timeoutMilliseconds)
    {
        fixed (byte* events = _events)
        {
            int count = Libc.epoll_wait(_fd, events, Capacity, timeoutMilliseconds);
            if (count >= 0) return count;
            if (Marshal.GetLastPInvokeError() == Libc.EINTR) return 0;
            throw new Win32Exception();
        }
    }

    public (int Tag, uint Events) Get(int index)
    {
        ReadOnlySpan<byte> at = _events.AsSpan(index * Stride, Stride);
        return (BinaryPrimitives.ReadInt32LittleEndian(at[DataOffset..]), BinaryPrimitives.ReadUInt32LittleEndian(at));
    }

    public void Dispose() => _ = Libc.close(_fd);

    private void Control(int operation, int fd, int tag, uint interest)
    {
        byte* one = stackalloc byte[16];
        var span = new Span<byte>(one, 16);
        span.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(span, interest);
        BinaryPrimitives.WriteInt32LittleEndian(span[DataOffset..], tag);
        if (Libc.epoll_ctl(_fd, operation, fd, one) < 0) throw new Win32Exception();
    }
}
