using System.Globalization;
using System.Text.Json.Serialization;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Hls;

/// <summary>The steady viewers of all runs, of one number of them: of each figure the median and spread over the runs.</summary>
internal sealed record SteadyResult
{
    public required int Viewers { get; init; }

    /// <summary>Of the server's core; with the stream's own.</summary>
    public required Summary ServerShare { get; init; }
    public required Summary LoadShare { get; init; }

    /// <summary>When a viewer had the part whole, after the first viewer had its playlist, ms; of the slower rendition.</summary>
    public required Summary DeliveryP50 { get; init; }

    /// <summary>95 %; the bar is on it and on <see cref="AfterAloneP95"/>.</summary>
    public required Summary DeliveryP95 { get; init; }
    public required Summary DeliveryP99 { get; init; }

    /// <summary>95 % of the same, after the moment at which a viewer who waits alone has its playlist.</summary>
    public required Summary AfterAloneP95 { get; init; }

    /// <summary>From its playlist to the whole part, of the viewer alone: the least there is.</summary>
    public required Summary AloneP50 { get; init; }
    public required Summary GbitPerSecond { get; init; }
    public required Summary CpuPerGbit { get; init; }

    /// <summary>Memory of a viewer with its connections, KB.</summary>
    public required Summary ViewerKb { get; init; }
    public string? DeliveryVerdict { get; init; }
    public string? AfterAloneVerdict { get; init; }
    public string? CoreVerdict { get; init; }
    public required IReadOnlyList<SteadyReport> Runs { get; init; }

    [JsonIgnore]
    public bool IsMissed => (DeliveryVerdict + AfterAloneVerdict + CoreVerdict).Contains("MISSED", StringComparison.Ordinal);

    public static SteadyResult Of(IReadOnlyList<SteadyReport> runs, HlsPlan plan)
    {
        var delivery = Summary.Of(runs.Select(static r => r.DeliveryP95));
        var afterAlone = Summary.Of(runs.Select(static r => r.Renditions.Max(static t => t.AfterAlone.P95)));
        var share = Summary.Of(runs.Select(static r => r.ServerShare));
        return new SteadyResult
        {
            Viewers = runs[0].Viewers,
            ServerShare = share,
            LoadShare = Summary.Of(runs.Select(static r => r.OwnShare)),
            DeliveryP50 = Summary.Of(runs.Select(static r => r.Renditions.Max(static t => t.Delivery.P50))),
            DeliveryP95 = delivery,
            DeliveryP99 = Summary.Of(runs.Select(static r => r.Renditions.Max(static t => t.Delivery.P99))),
            AfterAloneP95 = afterAlone,
            AloneP50 = Summary.Of(runs.Select(static r => r.Renditions.Max(static t => t.AloneDelivery.P50))),
            GbitPerSecond = Summary.Of(runs.Select(static r => r.Gbit / r.Seconds)),
            CpuPerGbit = Summary.Of(runs.Select(static r => r.ServerCpu / r.Gbit)),
            ViewerKb = Summary.Of(runs.Select(static r => r.ViewerKb)),
            DeliveryVerdict = plan.BarP95 is { } ms ? delivery.Against(ms, " ms") : null,
            AfterAloneVerdict = plan.BarP95 is { } after ? afterAlone.Against(after, " ms") : null,
            CoreVerdict = plan.BarCore is { } core ? share.Against(core, " of the core") : null,
            Runs = runs,
        };
    }

    public void Print()
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"steady, {Viewers} viewers: server {Text(ServerShare, "P0")} of its core{Behind(CoreVerdict)}; load {Text(LoadShare, "P0")}; {Text(GbitPerSecond, "F2")} Gbit/s, {Text(CpuPerGbit, "F4")} CPU s/Gbit; {Text(ViewerKb, "F1")} KB a viewer"));
        Console.WriteLine($"  part whole after the first viewer's playlist: p50 {Text(DeliveryP50, "F1")}, p95 {Text(DeliveryP95, "F1")}, p99 {Text(DeliveryP99, "F1")} ms{Behind(DeliveryVerdict, "p95 ")}");
        Console.WriteLine($"  after one alone has its playlist: p95 {Text(AfterAloneP95, "F1")} ms{Behind(AfterAloneVerdict)}; one alone takes {Text(AloneP50, "F1")} ms for it");
    }

    private static string Behind(string? verdict, string of = "") => verdict is null ? "" : $"; {of}{verdict}";

    private static string Text(Summary s, string format) => s.Text(format);
}
