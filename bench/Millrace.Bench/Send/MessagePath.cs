using System.Runtime.InteropServices;
using Millrace.Bench.Native;

namespace Millrace.Bench.Send;

/// <summary>sendmsg(2) and send(2), with and without MSG_ZEROCOPY.</summary>
internal sealed unsafe class MessagePath(SendSource source, EpollSet epoll, SendVariant variant) : SendPath(source, epoll, variant.TurnBytes)
{
    private const int BlockBytes = 64 * 1024;
    private const int MaxVectors = 17;
    private readonly int _flags = Flags | (variant.Call == SendCall.ZeroCopy ? Libc.MSG_ZEROCOPY : 0);

    public override void Send(Outlet outlet)
    {
        bool corks = variant.Head == HeadWay.Cork && outlet.HeadLeft > 0;
        if (corks) outlet.Set(Libc.IPPROTO_TCP, Libc.TCP_CORK, 1);
        if (variant.Head != HeadWay.Together && outlet.HeadLeft > 0 && !SendHead(outlet)) return;
        while (variant.Call == SendCall.Plain ? SendPlain(outlet) : SendMessage(outlet))
        {
        }

        if (corks) outlet.Set(Libc.IPPROTO_TCP, Libc.TCP_CORK, 0);
    }

    /// <summary>Reads the completions of MSG_ZEROCOPY (Documentation/networking/msg_zerocopy.rst).</summary>
    public override void OnError(Outlet outlet)
    {
        const int ControlBytes = 128;
        const int ExtendedErrorOffset = 16; // behind struct cmsghdr
        byte* control = stackalloc byte[ControlBytes];
        bool any = false;
        while (true)
        {
            var header = new Libc.MessageHeader { Control = control, ControlLength = ControlBytes };
            if (Libc.recvmsg(outlet.Fd, &header, Libc.MSG_ERRQUEUE | Libc.MSG_DONTWAIT) < 0) break;
            any = true;
            byte* error = control + ExtendedErrorOffset; // struct sock_extended_err: origin at 4, code at 6, first and last at 8 and 12
            long count = *(uint*)(error + 12) - *(uint*)(error + 8) + 1L;
            Completions += count;
            if (error[6] == 1) CopiedCompletions += count; // SO_EE_CODE_ZEROCOPY_COPIED
        }

        if (!any) base.OnError(outlet);
    }

    private bool SendHead(Outlet outlet)
    {
        Calls++;
        int flags = variant.Head == HeadWay.More ? Flags | Libc.MSG_MORE : Flags;
        int wanted = outlet.HeadLeft;
        return Took(outlet, wanted, Result(Libc.send(outlet.Fd, Head + HeadBytes - wanted, (nuint)wanted, flags)));
    }

    private bool SendPlain(Outlet outlet)
    {
        Calls++;
        var (offset, length) = NextRun(outlet);
        return Took(outlet, length, Result(Libc.send(outlet.Fd, Source.Data + offset, (nuint)length, _flags)));
    }

    private bool SendMessage(Outlet outlet)
    {
        var vectors = stackalloc Libc.IoVector[MaxVectors];
        int count = 0;
        long wanted = outlet.HeadLeft;
        if (wanted > 0) vectors[count++] = new Libc.IoVector { Base = Head + HeadBytes - wanted, Length = (nuint)wanted };
        var (offset, length) = NextRun(outlet);
        while (length > 0 && count < MaxVectors)
        {
            int run = (int)Math.Min(length, BlockBytes - (offset % BlockBytes));
            vectors[count++] = new Libc.IoVector { Base = Source.Data + offset, Length = (nuint)run };
            offset += run;
            length -= run;
            wanted += run;
        }

        Calls++;
        var header = new Libc.MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        return Took(outlet, wanted, Result(Libc.sendmsg(outlet.Fd, &header, _flags)));
    }
}
