using System.Buffers.Binary;
using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;

namespace Millrace.Bench.Native;

/// <summary>Non-blocking TCP on bare descriptors: no object, no continuation and no copy per viewer.</summary>
internal static unsafe class RawTcp
{
    // Holds a key frame and a pause between two passes: the default (131,072, of which the window is half) would fill, and the
    // server would be measured while it waits for us.
    private const int ReceiveBuffer = 512 * 1024;

    // A viewer on a slow line has little room and Ethernet's segments; on loopback's the server's own buffer would take 20 s of a stream.
    private const int SlowReceiveBuffer = 64 * 1024;
    private const int SlowSegment = 1460;

    /// <summary>
    /// Starts a connection to 127.0.0.1:<paramref name="port"/> from the source address with number <paramref name="source"/> in
    /// 127.1.0.1 and up, so that limits per address and the 28,000 ephemeral ports of one address play no part. A slow viewer gets
    /// buffers that soon are full.
    /// </summary>
    /// <param name="port">On 127.0.0.1.</param>
    /// <param name="source">Number of the source address.</param>
    /// <param name="isSlow">A viewer on a slow line.</param>
    /// <param name="segment">TCP_MAXSEG, bytes; 0 = the interface's, which on loopback is 64 KB.</param>
    public static int StartConnect(int port, int source, bool isSlow = false, int segment = 0)
    {
        int fd = Libc.socket(Libc.AF_INET, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (fd < 0) throw new Win32Exception();
        int one = 1;
        _ = Libc.setsockopt(fd, Libc.IPPROTO_IP, Libc.IP_BIND_ADDRESS_NO_PORT, in one, sizeof(int));
        _ = Libc.setsockopt(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, in one, sizeof(int));
        if (isSlow) segment = SlowSegment;
        if (segment > 0) _ = Libc.setsockopt(fd, Libc.IPPROTO_TCP, Libc.TCP_MAXSEG, in segment, sizeof(int));
        int buffer = isSlow ? SlowReceiveBuffer : ReceiveBuffer;
        _ = Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_RCVBUF, in buffer, sizeof(int));
        var from = Address(SourceAddress(source), 0);
        var to = Address(0x7F000001, port);
        if (Libc.bind(fd, in from, 16) < 0 || (Libc.connect(fd, in to, 16) < 0 && Marshal.GetLastPInvokeError() != Libc.EINPROGRESS))
        {
            var error = new Win32Exception();
            _ = Libc.close(fd);
            throw error;
        }

        return fd;
    }

    /// <summary>The pending error of a socket whose connection was started; 0 when it is connected.</summary>
    public static int ConnectError(int fd)
    {
        uint length = sizeof(int);
        return Libc.getsockopt(fd, Libc.SOL_SOCKET, Libc.SO_ERROR, out int value, ref length) < 0 ? Marshal.GetLastPInvokeError() : value;
    }

    /// <summary>Drops all received bytes without copying them (tcp(7), MSG_TRUNC). 0 = end, negative = -errno.</summary>
    public static int Discard(int fd)
    {
        nint n = Libc.recv(fd, null, 4 * ReceiveBuffer, Libc.MSG_TRUNC);
        return n >= 0 ? (int)n : -Marshal.GetLastPInvokeError();
    }

    /// <summary>Reads once. 0 = end, negative = -errno.</summary>
    public static int Receive(int fd, Span<byte> into)
    {
        fixed (byte* p = into)
        {
            nint n = Libc.recv(fd, p, (nuint)into.Length, 0);
            return n >= 0 ? (int)n : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Lets the kernel note when bytes arrive, for <see cref="ReceiveStamped"/>.</summary>
    public static void StampArrivals(int fd)
    {
        int one = 1;
        if (Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_TIMESTAMPNS, in one, sizeof(int)) < 0) throw new Win32Exception();
    }

    /// <summary>As <see cref="Receive"/>, or as <see cref="Discard"/> where nothing is to be copied.</summary>
    /// <param name="fd">With <see cref="StampArrivals"/>.</param>
    /// <param name="into">Empty = drop them.</param>
    /// <param name="unixSeconds">When the last of the bytes came to the socket, whenever it is read (SCM_TIMESTAMPNS, socket(7)); 0 = the kernel does not say.</param>
    public static int ReceiveStamped(int fd, Span<byte> into, out double unixSeconds)
    {
        const int ControlBytes = 64;
        const int TimeOffset = 16; // behind struct cmsghdr: its length, level and type
        long* control = stackalloc long[ControlBytes / sizeof(long)];
        unixSeconds = 0;
        fixed (byte* p = into)
        {
            var vector = new Libc.IoVector { Base = p, Length = (nuint)(into.IsEmpty ? 4 * ReceiveBuffer : into.Length) };
            var header = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlBytes };
            nint n = Libc.recvmsg(fd, &header, into.IsEmpty ? Libc.MSG_TRUNC : 0);
            if (n < 0) return -Marshal.GetLastPInvokeError();
            bool isStamped = header.ControlLength >= TimeOffset && ((int*)control)[2] == Libc.SOL_SOCKET && ((int*)control)[3] == Libc.SO_TIMESTAMPNS;
            if (isStamped) unixSeconds = control[TimeOffset / sizeof(long)] + (control[(TimeOffset / sizeof(long)) + 1] / 1e9);
            return (int)n;
        }
    }

    /// <summary>True when all bytes were taken: what a viewer sends is far smaller than an empty socket buffer.</summary>
    public static bool SendAll(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
        {
            return Libc.send(fd, p, (nuint)bytes.Length, Libc.MSG_NOSIGNAL) == bytes.Length;
        }
    }

    /// <summary>Sends what the socket takes. Negative = -errno.</summary>
    public static int Send(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
        {
            nint n = Libc.send(fd, p, (nuint)bytes.Length, Libc.MSG_NOSIGNAL);
            return n >= 0 ? (int)n : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>True for the address of source <paramref name="first"/> or one behind it.</summary>
    public static bool IsFrom(IPAddress address, int first)
    {
        Span<byte> bytes = stackalloc byte[16];
        return address.MapToIPv4().TryWriteBytes(bytes, out _) && BinaryPrimitives.ReadUInt32BigEndian(bytes) is var number
            && number >> 24 == 127 && number >= SourceAddress(first);
    }

    private static uint SourceAddress(int source) => 0x7F010001u + (uint)(source % 8_000_000);

    private static Libc.SockAddrIn Address(uint address, int port) => new()
    {
        Family = Libc.AF_INET,
        PortBigEndian = BinaryPrimitives.ReverseEndianness((ushort)port),
        AddressBigEndian = BinaryPrimitives.ReverseEndianness(address),
    };
}
