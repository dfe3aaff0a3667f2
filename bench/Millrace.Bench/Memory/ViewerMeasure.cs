using System.Globalization;
using System.Text.Json;
using Millrace.Bench.Load;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Memory;

/// <summary>Memory per viewer, ours beside nginx-rtmp in interleaved rounds; each run has a server of its own.</summary>
internal sealed class ViewerMeasure(MemoryPlan plan, ClipIndex clip, List<string> faults, Configurations configurations)
{
    private const string StreamName = "clip";
    private readonly List<Pair> _pairs = [];

    public void RunAll()
    {
        for (int round = 0; round < plan.Runs; round++)
        {
            // Every other round runs backwards, so that a drift of the machine falls on both sides alike.
            bool peerFirst = round % 2 == 0;
            var peer = peerFirst ? Run(round, Protocol.Rtmp, isPeer: true) : null;
            var ours = (peerFirst ? plan.Protocols : plan.Protocols.Reverse()).Select(p => Run(round, p, isPeer: false)).ToList();
            peer ??= Run(round, Protocol.Rtmp, isPeer: true);
            _pairs.AddRange(ours.Select(o => new Pair(peer, o)));
        }
    }

    public IReadOnlyList<ViewerResult> Conclude() =>
        [.. plan.Protocols.Select(protocol => ViewerResult.Of(protocol, [.. _pairs.Where(p => p.Ours.Protocol == protocol)], plan))];

    private ViewerRun Run(int round, Protocol protocol, bool isPeer)
    {
        using ServerUnderTest server = isPeer ? new NginxRtmp(plan.PeerPort) : plan.CreateServer();
        server.Start(plan.ServerCore);
        configurations.Add(server.Label, server);
        using var publisher = Publisher.Start(plan.LoadCore, clip.Path, server.RtmpPort, StreamName);
        var players = new PlayersPlan
        {
            Port = protocol == Protocol.Flv ? server.HttpPort : server.RtmpPort,
            Protocol = protocol,
            App = ServerUnderTest.App,
            Name = StreamName,
            Viewers = plan.Viewers,
            Ramp = plan.Ramp,
            Alone = plan.Alone,
            Settle = plan.Settle,
            Seconds = plan.Seconds,
            Watch = server.ProcessId,
            Metrics = server.Metrics,
            Clip = clip.Path,
        };
        var run = new ViewerRun(protocol, ChildProcess.Report<PlayersReport>(plan.LoadCore, players.ToArguments()));
        string label = isPeer ? "nginx-rtmp" : $"millrace {protocol.ToString().ToLowerInvariant()}";
        foreach (var fault in run.Report.Faults(clip.BitsPerSecond)) faults.Add($"round {round + 1}, {label}: {fault}");
        if (publisher.Exited) faults.Add($"round {round + 1}, {label}: the publisher ended: {publisher.Errors}");
        Print(round, label, run);
        return run;
    }

    private static void Print(int round, string label, ViewerRun r)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  round {round + 1}  {label,-14} RSS {r.Report.AloneMemory!.RssKb / 1024:F1} -> {r.Report.Memory!.RssKb / 1024:F1} MB: {r.RssKb:F2} KB each (anonymous {r.AnonKb:F2})  "
            + $"kernel {r.KernelKb:F1} KB each (TCP queues {r.TcpKb:F1}, objects {r.SlabKb:F1})"));
        if (double.IsNaN(r.AllocatedKb)) return;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"           managed heap {r.HeapMb:F1} MB after its last collection, allocated {r.AllocatedKb:F2} KB each; mapped for media {r.MappedMb:F0} MB"));
    }

    internal sealed record Pair(ViewerRun Peer, ViewerRun Ours);
}
