using Millrace.Bench.Native;

namespace Millrace.Bench.Send;

/// <summary>io_uring: up to 64 sends with one system call, which also waits for all of them; files are registered.</summary>
internal sealed unsafe class RingPath : SendPath
{
    private const int Batch = 64;
    private readonly Uring _ring;
    private readonly List<Outlet> _queued = new(Batch);
    private readonly List<Outlet> _again = new(Batch);
    private readonly Libc.IoVector[] _vectors = GC.AllocateArray<Libc.IoVector>(2 * Batch, pinned: true);
    private readonly Libc.MessageHeader[] _headers = GC.AllocateArray<Libc.MessageHeader>(Batch, pinned: true);
    private readonly long[] _wanted = new long[Batch];

    public RingPath(SendSource source, EpollSet epoll, IReadOnlyList<Outlet> outlets, int turnBytes)
        : base(source, epoll, turnBytes)
    {
        _ring = new Uring(Batch);
        _ring.RegisterFiles([.. outlets.Select(static o => o.Fd)]);
    }

    public override void Send(Outlet outlet)
    {
        _queued.Add(outlet);
        if (_queued.Count == Batch) Flush();
    }

    public override void Flush()
    {
        while (_queued.Count > 0)
        {
            for (int i = 0; i < _queued.Count; i++) Prepare(i, _queued[i]);
            Calls++;
            _ring.SubmitAndWait(_queued.Count);
            while (_ring.TryTake(out int slot, out int result))
            {
                if (Took(_queued[slot], _wanted[slot], result)) _again.Add(_queued[slot]);
            }

            _queued.Clear();
            _queued.AddRange(_again);
            _again.Clear();
        }
    }

    protected override void Release() => _ring.Dispose();

    private void Prepare(int slot, Outlet outlet)
    {
        var (offset, length) = NextRun(outlet);
        _wanted[slot] = outlet.HeadLeft + length;
        if (outlet.HeadLeft == 0)
        {
            _ring.Add(Uring.OpSend, outlet.Index, Source.Data + offset, (uint)length, Flags, slot);
            return;
        }

        fixed (Libc.IoVector* vectors = &_vectors[2 * slot])
        fixed (Libc.MessageHeader* header = &_headers[slot])
        {
            vectors[0] = new Libc.IoVector { Base = Head + HeadBytes - outlet.HeadLeft, Length = (nuint)outlet.HeadLeft };
            vectors[1] = new Libc.IoVector { Base = Source.Data + offset, Length = (nuint)length };
            *header = new Libc.MessageHeader { Vectors = vectors, VectorCount = 2 };
            _ring.Add(Uring.OpSendMessage, outlet.Index, header, 1, Flags, slot);
        }
    }
}
