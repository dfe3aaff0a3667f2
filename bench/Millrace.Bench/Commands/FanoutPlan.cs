using System.Globalization;
using Millrace.Bench.Load;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Commands;

/// <summary>What `fanout` compares. Each variant of the server under test runs beside the peer in each round.</summary>
internal sealed record FanoutPlan
{
    /// <summary>The default of `merge`; reported whatever else is asked for.</summary>
    public const int DefaultWindowMs = 30;

    public required int Viewers { get; init; }
    public required int[] WindowsMs { get; init; }
    public required Protocol[] Protocols { get; init; }
    public required int Runs { get; init; }
    public required double Seconds { get; init; }
    public required double Settle { get; init; }
    public required int Ramp { get; init; }
    public required int PaceMs { get; init; }

    /// <summary>TCP_MAXSEG of the viewers' sockets, bytes; 0 = the interface's.</summary>
    public required int SegmentBytes { get; init; }
    public required string Server { get; init; }
    public required int BasePort { get; init; }
    public required int ServerCore { get; init; }
    public required int LoadCore { get; init; }
    public double? Bar { get; init; }
    public string? Keep { get; init; }

    public bool AgainstItself => string.Equals(Server, "nginx", StringComparison.Ordinal);

    public IReadOnlyList<Variant> Variants()
    {
        if (AgainstItself) return [new Variant(Protocol.Rtmp, 0, true)];
        return [.. Protocols.SelectMany(p => WindowsMs.Append(DefaultWindowMs).Distinct().Select(w => new Variant(p, w, WindowsMs.Contains(w))))];
    }

    /// <summary>Parses "30ms,50ms" or "30,50".</summary>
    public static int[] ParseWindows(string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static w => int.Parse(w.Replace("ms", "", StringComparison.Ordinal), CultureInfo.InvariantCulture))];

    /// <summary><c>Barred</c>: the bar applies (the window was asked for, not only added).</summary>
    internal sealed record Variant(Protocol Protocol, int WindowMs, bool Barred)
    {
        public ServerUnderTest Create(FanoutPlan plan) =>
            plan.AgainstItself ? new NginxRtmp(plan.BasePort + 5) : Target.Create(plan.Server, plan.BasePort, WindowMs);

        public string Label(FanoutPlan plan) => plan.AgainstItself ? "nginx-rtmp (again)" : $"millrace {Protocol.ToString().ToLowerInvariant()} {WindowMs} ms";
    }
}
