using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Millrace.Node.Shards;

/// <summary>One epoll instance. <c>struct epoll_event</c> is packed on x86-64 and naturally aligned elsewhere.</summary>
internal sealed unsafe class EventPoll : IDisposable
{
    private const int Capacity = 512;

    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventBytes - sizeof(long);

    private readonly int _descriptor;
    private readonly byte* _events;

    public EventPoll()
    {
        _descriptor = Native.EpollCreate(Native.CloseOnExec);
        if (_descriptor < 0)
            throw new Win32Exception(Native.LastError, "epoll_create1");
        _events = (byte*)NativeMemory.Alloc((nuint)(Capacity * EventBytes));
    }

    /// <summary>Readable, for another instance, while there are events.</summary>
    public int Descriptor => _descriptor;

    public bool TryAdd(int descriptor, int interest, long token) => TryControl(Native.EpollAdd, descriptor, interest, token);

    public bool TryModify(int descriptor, int interest, long token) => TryControl(Native.EpollModify, descriptor, interest, token);

    public void Remove(int descriptor) => _ = TryControl(Native.EpollDelete, descriptor, 0, 0);

    /// <summary>
    /// Waits for at most <paramref name="timeoutMillis"/> (-1 = for ever) and returns how many events there are, at most
    /// <paramref name="limit"/>; the others have their turn before these.
    /// </summary>
    public int Wait(int timeoutMillis, int limit = Capacity)
    {
        var count = Native.EpollWait(_descriptor, _events, limit, timeoutMillis);
        if (count >= 0)
            return count;
        var error = Native.LastError;
        return error == Native.EIntr ? 0 : throw new Win32Exception(error, "epoll_wait");
    }

    public void Read(int index, out int ready, out long token)
    {
        var entry = _events + (index * EventBytes);
        ready = *(int*)entry;
        token = *(long*)(entry + DataOffset);
    }

    public void Dispose()
    {
        _ = Native.Close(_descriptor);
        NativeMemory.Free(_events);
    }

    private bool TryControl(int operation, int descriptor, int interest, long token)
    {
        var change = stackalloc byte[16];
        *(int*)change = interest;
        *(long*)(change + DataOffset) = token;
        return Native.EpollControl(_descriptor, operation, descriptor, change) == 0;
    }
}
