using System.Net.Sockets;
using Millrace.Bench.Native;

namespace Millrace.Bench.Send;

/// <summary>Each connection gets the object, with a head before it, as often as it asks.</summary>
internal sealed class ObjectTrial(SendPlan plan, SendCase sendCase, SendVariant variant, Socket listener) : SendTrial(plan, sendCase, variant, listener)
{
    private readonly byte[] _ask = new byte[16];

    protected override void Loop()
    {
        PollUntil(Now + Plan.Warmup);
        BeginWindow();
        PollUntil(Now + Plan.Seconds);
        EndWindow();
    }

    private void PollUntil(double time)
    {
        while (Now < time) Poll(10, OnAsk);
    }

    private void OnAsk(Outlet outlet)
    {
        int n = RawTcp.Receive(outlet.Fd, _ask);
        if (n == -Libc.EAGAIN) return;
        if (n != 1 || outlet.HasBytes) throw new InvalidOperationException($"a receiver that asks out of turn, or has gone: {n}");
        outlet.HeadLeft = SendPath.HeadBytes;
        outlet.Position = 0;
        outlet.End = Case.ObjectBytes;
        Path.Send(outlet);
    }
}
