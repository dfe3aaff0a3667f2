using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using Millrace.Bench.Native;

namespace Millrace.Bench.Send;

/// <summary>The bytes that go to all connections: a ring for a stream, of which an object is the beginning.</summary>
internal sealed unsafe class SendSource : IDisposable
{
    /// <summary>50 s of a stream of 2.65 Mbit/s.</summary>
    public const int Bytes = 16 << 20;

    private const int HugePage = 2 << 20;
    private readonly void* _mapping;
    private readonly nuint _mapped;

    /// <exception cref="Win32Exception">The kernel refused the mapping.</exception>
    /// <exception cref="InvalidOperationException">It gave no huge page.</exception>
    public SendSource(SendMemory memory)
    {
        if (memory == SendMemory.MemFd)
        {
            Descriptor = Libc.memfd_create("send", 1); // MFD_CLOEXEC
            if (Descriptor < 0 || Libc.ftruncate(Descriptor, Bytes) < 0) throw new Win32Exception();
        }

        _mapped = Bytes + HugePage;
        int kind = memory == SendMemory.MemFd ? Libc.MAP_SHARED : Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS;
        _mapping = Libc.mmap(null, memory == SendMemory.MemFd ? Bytes : _mapped, Libc.PROT_READ_WRITE, kind, Descriptor, 0);
        if (_mapping == Libc.MAP_FAILED) throw new Win32Exception();
        if (memory == SendMemory.MemFd) _mapped = Bytes;
        Data = memory == SendMemory.MemFd ? (byte*)_mapping : (byte*)(((nuint)_mapping + HugePage - 1) & ~(nuint)(HugePage - 1));
        if (memory == SendMemory.Huge && Libc.madvise(Data, Bytes, Libc.MADV_HUGEPAGE) < 0) throw new Win32Exception();
        new Random(1).NextBytes(new Span<byte>(Data, Bytes));
        if (memory == SendMemory.Huge && HugeKilobytes() * 1024 < Bytes) throw new InvalidOperationException("the kernel gave no huge pages");
    }

    public byte* Data { get; }

    /// <summary>The memfd; -1 when it is none.</summary>
    public int Descriptor { get; } = -1;

    /// <summary>Writes as the stream's packager does: what is sent next was just written.</summary>
    public void Write(long position, int count)
    {
        for (int done = 0; done < count;)
        {
            int at = (int)((position + done) % Bytes);
            int run = Math.Min(count - done, Bytes - at);
            new Span<byte>(Data + at, run).Fill((byte)position);
            done += run;
        }
    }

    public void Dispose()
    {
        _ = Libc.munmap(_mapping, _mapped);
        if (Descriptor >= 0) _ = Libc.close(Descriptor);
    }

    private static long HugeKilobytes() => File.ReadLines("/proc/self/smaps_rollup")
        .Where(static l => l.StartsWith("AnonHugePages:", StringComparison.Ordinal))
        .Sum(static l => long.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
}
