using Millrace.Bench.Native;

namespace Millrace.Bench.Send;

/// <summary>sendfile(2) from the memfd; an object's head goes before it with MSG_MORE.</summary>
internal sealed unsafe class FilePath(SendSource source, EpollSet epoll, SendVariant variant) : SendPath(source, epoll, variant.TurnBytes)
{
    public override void Send(Outlet outlet)
    {
        if (outlet.HeadLeft > 0)
        {
            Calls++;
            int wanted = outlet.HeadLeft;
            if (!Took(outlet, wanted, Result(Libc.send(outlet.Fd, Head + HeadBytes - wanted, (nuint)wanted, Flags | Libc.MSG_MORE)))) return;
        }

        bool more = true;
        while (more)
        {
            Calls++;
            var (offset, length) = NextRun(outlet);
            more = Took(outlet, length, Result(Libc.sendfile(outlet.Fd, Source.Descriptor, &offset, (nuint)length)));
        }
    }
}
