using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Millrace.Bench.Native;

/// <summary>One io_uring of a single thread (io_uring_setup(2), uapi/linux/io_uring.h), by bare system calls.</summary>
internal sealed unsafe class Uring : IDisposable
{
    public const byte OpSendMessage = 9;
    public const byte OpSend = 26;

    private const uint SetupCoopTaskrun = 1u << 8;
    private const uint SetupSingleIssuer = 1u << 12;
    private const uint SetupDeferTaskrun = 1u << 13;
    private const uint EnterGetEvents = 1;
    private const nint RegisterFilesOperation = 2;
    private const byte FixedFile = 1;
    private const int EntryBytes = 64;
    private const int CompletionBytes = 16;
    private const long EntriesOffset = 0x10000000;

    private readonly int _fd;
    private readonly byte* _ring;
    private readonly byte* _entries;
    private readonly nuint _ringBytes;
    private readonly Parameters _parameters;
    private uint _tail;

    /// <exception cref="Win32Exception">The kernel has no io_uring, or does not allow it.</exception>
    public Uring(int entries)
    {
        var parameters = new Parameters { Flags = SetupCoopTaskrun | SetupSingleIssuer | SetupDeferTaskrun };
        _fd = (int)Libc.syscall(Libc.SYS_io_uring_setup, entries, (nint)(&parameters), 0, 0, 0, 0);
        if (_fd < 0) throw new Win32Exception();
        _parameters = parameters;
        // One mapping for both rings (IORING_FEAT_SINGLE_MMAP, Linux 5.4).
        _ringBytes = Math.Max(parameters.Submission.Array + (parameters.SubmissionEntries * 4), parameters.Completion.Entries + (parameters.CompletionEntries * CompletionBytes));
        _ring = (byte*)Libc.mmap(null, _ringBytes, Libc.PROT_READ_WRITE, Libc.MAP_SHARED | Libc.MAP_POPULATE, _fd, 0);
        _entries = (byte*)Libc.mmap(null, parameters.SubmissionEntries * EntryBytes, Libc.PROT_READ_WRITE, Libc.MAP_SHARED | Libc.MAP_POPULATE, _fd, EntriesOffset);
        if (_ring == Libc.MAP_FAILED || _entries == Libc.MAP_FAILED) throw new Win32Exception();
        for (uint i = 0; i < parameters.SubmissionEntries; i++) ((uint*)(_ring + parameters.Submission.Array))[i] = i;
    }

    public void RegisterFiles(int[] files)
    {
        fixed (int* p = files)
        {
            if (Libc.syscall(Libc.SYS_io_uring_register, _fd, RegisterFilesOperation, (nint)p, files.Length, 0, 0) < 0) throw new Win32Exception();
        }
    }

    /// <summary>Adds an entry; at most as many as the ring has until <see cref="SubmitAndWait"/>.</summary>
    public void Add(byte operation, int file, void* address, uint length, int messageFlags, int tag)
    {
        byte* entry = _entries + ((_tail & (_parameters.SubmissionEntries - 1)) * EntryBytes);
        new Span<byte>(entry, EntryBytes).Clear();
        entry[0] = operation;
        entry[1] = FixedFile;
        *(int*)(entry + 4) = file;
        *(void**)(entry + 16) = address;
        *(uint*)(entry + 24) = length;
        *(int*)(entry + 28) = messageFlags;
        *(ulong*)(entry + 32) = (ulong)tag;
        _tail++;
    }

    public void SubmitAndWait(int count)
    {
        Volatile.Write(ref *(uint*)(_ring + _parameters.Submission.Tail), _tail);
        nint submitted = Libc.syscall(Libc.SYS_io_uring_enter, _fd, count, count, (nint)EnterGetEvents, 0, 0);
        if (submitted != count) throw new InvalidOperationException($"io_uring_enter: {submitted} of {count}, errno {Marshal.GetLastPInvokeError()}");
    }

    public bool TryTake(out int tag, out int result)
    {
        ref uint head = ref *(uint*)(_ring + _parameters.Completion.Head);
        if (head == Volatile.Read(ref *(uint*)(_ring + _parameters.Completion.Tail)))
        {
            (tag, result) = (0, 0);
            return false;
        }

        byte* entry = _ring + _parameters.Completion.Entries + ((head & (_parameters.CompletionEntries - 1)) * CompletionBytes);
        (tag, result) = ((int)*(ulong*)entry, *(int*)(entry + 8));
        Volatile.Write(ref head, head + 1);
        return true;
    }

    public void Dispose()
    {
        _ = Libc.munmap(_ring, _ringBytes);
        _ = Libc.munmap(_entries, _parameters.SubmissionEntries * EntryBytes);
        _ = Libc.close(_fd);
    }

#pragma warning disable CS0649 // Written by the kernel.
    [StructLayout(LayoutKind.Sequential)]
    private struct Parameters
    {
        public uint SubmissionEntries, CompletionEntries, Flags, ThreadCpu, ThreadIdle, Features, WorkQueue, Reserved0, Reserved1, Reserved2;
        public SubmissionOffsets Submission;
        public CompletionOffsets Completion;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct SubmissionOffsets
    {
        public uint Head, Tail, Mask, Count, Flags, Dropped, Array, Reserved;
        public ulong UserAddress;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CompletionOffsets
    {
        public uint Head, Tail, Mask, Count, Overflow, Entries, Flags, Reserved;
        public ulong UserAddress;
    }
#pragma warning restore CS0649
}
