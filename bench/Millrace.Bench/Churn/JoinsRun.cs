using System.Globalization;
using Millrace.Bench.Crowds;
using Millrace.Bench.Load;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Churn;

/// <summary>RTMP viewers that join, beside nginx-rtmp in interleaved pairs: how soon they see something, what each costs, and what others feel.</summary>
internal sealed class JoinsRun(ChurnPlan plan, ChurnMeasure measure)
{
    private const double LimitShare = 0.9; // of its core, from which on the server is what limits the joins
    private readonly ClipIndex _clip = ClipIndex.Load(Publisher.ClipPath());
    private readonly List<string> _faults = [];
    private readonly Configurations _configurations = new();

    public Outcome Measure()
    {
        Console.WriteLine(measure == ChurnMeasure.Joins
            ? $"joins: {plan.AtOnce} viewers at a time, each gone with its first media message"
            : $"beside: {plan.Steady} viewers that stay, B with {plan.PerSecond} a second that come and stay {plan.Stay} s");
        List<Pair> pairs = [];
        for (int run = 0; run < plan.Runs; run++)
        {
            // Every other run goes backwards, so that a drift of the machine falls on both sides alike.
            bool peerFirst = run % 2 == 0;
            var peer = peerFirst ? MeasureOne(run, isPeer: true) : null;
            var ours = MeasureOne(run, isPeer: false);
            pairs.Add(new Pair(peer ?? MeasureOne(run, isPeer: true), ours));
        }

        return Conclude(pairs);
    }

    private Side MeasureOne(int run, bool isPeer)
    {
        using ServerUnderTest server = isPeer ? new NginxRtmp(plan.BasePort + 5) : Target.Create(plan.Server, plan.BasePort, plan.MergeMs);
        server.Start(plan.ServerCore);
        _configurations.Add(server.Label, server);
        var windows = CrowdLoad.Measure(plan.LoadCore, Crowd(server));
        var side = new Side(windows.Length > 1 ? windows[0] : null, windows[^1]);
        string label = $"{measure}, run {run + 1}, {server.Label}";
        foreach (var fault in windows.SelectMany(w => w.Faults(_clip.BitsPerSecond))) _faults.Add($"{label}: {fault}");
        Console.WriteLine($"  run {run + 1}  {server.Label,-15} {Describe(side)}");
        return side;
    }

    private CrowdPlan Crowd(ServerUnderTest server)
    {
        bool isBeside = measure == ChurnMeasure.Beside;
        return new CrowdPlan
        {
            Protocol = Protocol.Rtmp,
            RtmpPort = server.RtmpPort,
            HttpPort = server.HttpPort,
            App = ServerUnderTest.App,
            Sessions = server.Sessions,
            Windows = isBeside ? [false, true] : [true],
            Steady = isBeside ? plan.Steady : 0,
            GuestSettle = isBeside ? plan.Stay + 2 : 4, // all who stay are there; the code is compiled
            Seconds = plan.Seconds,
            Joins = isBeside ? plan.PerSecond : 0,
            Stay = plan.Stay,
            JoinsAtOnce = isBeside ? 0 : plan.AtOnce,
            Watch = server.ProcessId,
            WatchCore = plan.ServerCore,
            Clip = _clip.Path,
        };
    }

    private static string Describe(Side side)
    {
        var w = side.Beside;
        var first = w.Visitors.FirstMedia;
        var key = w.Visitors.FirstKey;
        string others = side.Alone is not { } alone ? $"  {Text(side.CpuMsPerJoin, "F3")} CPU ms each" : string.Create(CultureInfo.InvariantCulture,
            $"  picture p50 {key.P50:F1} p99 {key.P99:F1} ms  steady p99 {alone.Delivery.P99:F2} -> {w.Delivery.P99:F2} ms  CPU s/Gbit {alone.ServerCpu / alone.Gbit:F3} -> {side.CpuPerGbit:F3}");
        return string.Create(CultureInfo.InvariantCulture,
            $"{side.JoinsPerSecond:F0} joins/s  first media p50 {first.P50:F1} p99 {first.P99:F1} ms{others}  server {w.ServerShare:P0}  load {w.OwnShare:P0}  RSS {w.RssMb:F0} MB"
            + $"{(side.IsBelowLimit ? "  BELOW THE LIMIT" : "")}{(w.Noisy ? $"  NOISY, stolen {w.Stolen:P0}" : "")}");
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private Outcome Conclude(List<Pair> pairs)
    {
        var rate = Summary.Of(pairs.Select(static p => p.Ours.JoinsPerSecond / p.Peer.JoinsPerSecond));
        var cpu = Summary.Of(pairs.Select(p => measure == ChurnMeasure.Joins ? p.Ours.CpuMsPerJoin / p.Peer.CpuMsPerJoin : p.Ours.CpuPerGbit / p.Peer.CpuPerGbit));
        var media = Summary.Of(pairs.Select(static p => p.Ours.Beside.Visitors.FirstMedia.P99 / p.Peer.Beside.Visitors.FirstMedia.P99));
        var picture = Summary.Of(pairs.Select(static p => p.Ours.Beside.Visitors.FirstKey.P99 / p.Peer.Beside.Visitors.FirstKey.P99));
        if (measure == ChurnMeasure.Joins) Print("joins/s, ratio", rate);
        Print(measure == ChurnMeasure.Joins ? "CPU a join, ratio" : "CPU a Gbit with joins, ratio", cpu);
        Print("p99 to the first media message, ratio", media);
        if (measure == ChurnMeasure.Beside) Print("p99 to the first key frame, ratio", picture);
        Summary? share = null;
        string? verdict = null;
        if (measure == ChurnMeasure.Beside)
        {
            share = Summary.Of(pairs.Select(static p => new WindowPair(p.Ours.Alone!, p.Ours.Beside).OfAllowance));
            verdict = share.Against(1);
            Print($"steady viewers' p99 to {WindowPair.AllowedFactor} x p99 alone + {WindowPair.AllowedMs} ms", share);
            Console.WriteLine($"  {verdict}");
        }

        if (pairs.Exists(static p => p.Peer.Noisy || p.Ours.Noisy)) Console.WriteLine(CrowdWindow.NoisyText);
        _configurations.Print();
        foreach (var fault in _faults) Console.WriteLine($"INVALID {fault}");
        return new Outcome(measure, rate, cpu, media, picture, share, verdict, pairs, _faults, _configurations);
    }

    private static void Print(string what, Summary s) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{what}: median {s.Median:F3}, interval [{s.Low:F3}..{s.High:F3}] ({s.Coverage:P1})"));

    /// <summary>A server's windows; <c>Alone</c> is the one without those who come and go.</summary>
    internal sealed record Side(CrowdWindow? Alone, CrowdWindow Beside)
    {
        private Times Joined => Alone is null ? Beside.Visitors.FirstMedia : Beside.Visitors.FirstKey;

        public double JoinsPerSecond => Joined.Count / Beside.Seconds;

        /// <summary>The server's CPU time, all of which was for those who joined; NaN beside others.</summary>
        public double CpuMsPerJoin => Alone is null ? Beside.ServerCpu * 1000 / Joined.Count : double.NaN;

        /// <summary>CPU seconds of the server for a Gbit that viewers received, joins included.</summary>
        public double CpuPerGbit => Beside.ServerCpu / Beside.Gbit;

        public bool Noisy => Beside.Noisy || Alone is { Noisy: true };

        /// <summary>Joins as fast as they go, and the server was not what limited them: only the CPU time says something of it.</summary>
        public bool IsBelowLimit => Alone is null && Beside.ServerShare < LimitShare;
    }

    internal sealed record Pair(Side Peer, Side Ours);

    /// <summary>Ratios of ours to the peer's by pair, <c>Cpu</c> of a join or, beside others, of a Gbit; <c>Share</c>: the steady viewers' p99 as a part of what it may be.</summary>
    internal sealed record Outcome(
        ChurnMeasure Measure, Summary JoinsRatio, Summary CpuRatio, Summary FirstMediaRatio, Summary FirstKeyRatio, Summary? Share,
        string? Verdict,
        IReadOnlyList<Pair> Pairs, IReadOnlyList<string> Faults, Configurations Configurations)
    {
        public bool Missed => Verdict?.StartsWith("MISSED", StringComparison.Ordinal) ?? false;
    }
}
