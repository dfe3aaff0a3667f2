using System.Runtime.InteropServices;

namespace Millrace.Bench.Native;

/// <content>What only `send` and stamped receipts call, as in the Linux manual pages.</content>
internal static unsafe partial class Libc
{
    public const int ENOBUFS = 105;
    public const int PROT_READ_WRITE = 0x3;
    public const int MAP_SHARED = 0x01;
    public const int MAP_PRIVATE = 0x02;
    public const int MAP_ANONYMOUS = 0x20;
    public const int MAP_POPULATE = 0x8000;
    public const int MADV_HUGEPAGE = 14;
    public const int SO_SNDBUF = 7;
    public const int SO_TIMESTAMPNS = 35;
    public const int SO_BUSY_POLL = 46;
    public const int SO_ZEROCOPY = 60;
    public const int TCP_CORK = 3;
    public const int TCP_NOTSENT_LOWAT = 25;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_ERRQUEUE = 0x2000;
    public const int MSG_MORE = 0x8000;
    public const int MSG_ZEROCOPY = 0x4000000;
    public const int SHUT_WR = 1;

    // The same on x86-64 and arm64 (asm-generic/unistd.h).
    public const nint SYS_io_uring_setup = 425;
    public const nint SYS_io_uring_enter = 426;
    public const nint SYS_io_uring_register = 427;

    public const int RUSAGE_THREAD = 1;

    public static readonly void* MAP_FAILED = (void*)-1;

    /// <summary><c>struct iovec</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary><c>struct msghdr</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary><c>struct rusage</c>: two struct timeval, then what nobody here asks for.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ResourceUsage
    {
        public nint UserSeconds;
        public nint UserMicros;
        public nint SystemSeconds;
        public nint SystemMicros;
        public fixed long Others[14];
    }

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getrusage(int who, out ResourceUsage usage);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint sendmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recvmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint sendfile(int to, int from, long* offset, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int accept4(int fd, void* address, uint* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int shutdown(int fd, int how);

    [LibraryImport("libc", SetLastError = true)]
    public static partial void* mmap(void* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int munmap(void* address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int madvise(void* address, nuint length, int advice);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ftruncate(int fd, long length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sched_setaffinity(int pid, nuint size, ulong* mask);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
}
