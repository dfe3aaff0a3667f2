using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Millrace.Bench.Measure;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Memory;

/// <summary>
/// Warm starts: from the start of the process until its media ports take connections and until both have answered, beside a
/// small .NET program and nginx, in turn. None is pinned to a core.
/// </summary>
internal sealed class StartMeasure(MemoryPlan plan)
{
    private readonly List<double> _listening = [], _answering = [], _control = [], _nginx = [];

    public void RunAll()
    {
        // The first starts are cold: they bring the files into memory.
        for (int run = -1; run < plan.Starts; run++)
        {
            bool isBackwards = run % 2 != 0;
            if (!isBackwards) RunOurs(run);
            RunOther(run, new DotnetControl(plan.BasePort + 4), _control);
            RunOther(run, new NginxRtmp(plan.PeerPort), _nginx);
            if (isBackwards) RunOurs(run);
        }
    }

    public StartResult Conclude()
    {
        var listening = Summary.Of(_listening);
        return new StartResult
        {
            Listening = listening,
            Answering = Summary.Of(_answering),
            DotnetProgram = Summary.Of(_control),
            Nginx = Summary.Of(_nginx),
            Verdict = plan.BarStartS is { } bar ? listening.Against(bar, " s") : null,
        };
    }

    private void RunOurs(int run)
    {
        using var server = plan.CreateServer();
        var clock = Stopwatch.StartNew();
        double listening = server.Start(core: -1, pollMs: 1).TotalSeconds;
        byte[] hello = new byte[1 + 1536]; // C0 and C1 (RTMP 1.0, 5.2)
        hello[0] = 3;
        AwaitAnswer(server.RtmpPort, hello);
        if (server.HttpPort > 0) AwaitAnswer(server.HttpPort, Encoding.ASCII.GetBytes("GET /bench/none.m3u8 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
        double answering = clock.Elapsed.TotalSeconds;
        if (run < 0) return;
        _listening.Add(listening);
        _answering.Add(answering);
    }

    private static void RunOther(int run, ServerUnderTest server, List<double> into)
    {
        using (server)
        {
            double listening = server.Start(core: -1, pollMs: 1).TotalSeconds;
            if (run >= 0) into.Add(listening);
        }
    }

    private static void AwaitAnswer(int port, byte[] request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        socket.Connect(IPAddress.Loopback, port);
        socket.Send(request);
        if (socket.Receive(new byte[1]) == 0) throw new InvalidOperationException($"port {port} took a connection and gave no answer");
    }
}

/// <summary>Seconds from the start of the process, over the warm starts.</summary>
internal sealed record StartResult
{
    public required Summary Listening { get; init; }
    public required Summary Answering { get; init; }
    public required Summary DotnetProgram { get; init; }
    public required Summary Nginx { get; init; }
    public string? Verdict { get; init; }

    public void Print() => Console.WriteLine(
        $"start: media ports open after {ViewerResult.Text(Listening, "F3")} s{ViewerResult.Suffix(Verdict)}; both answer after {ViewerResult.Text(Answering, "F3")} s; "
        + $"a small .NET program {ViewerResult.Text(DotnetProgram, "F3")} s, nginx {ViewerResult.Text(Nginx, "F3")} s");
}
