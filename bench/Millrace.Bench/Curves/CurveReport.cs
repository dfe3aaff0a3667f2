using Millrace.Bench.Load;
using Millrace.Bench.Media;
using Millrace.Bench.Publish;

namespace Millrace.Bench.Curves;

/// <summary>What one server did under one load. <c>Players</c>: one for each process of viewers.</summary>
internal sealed record CurveReport
{
    private const double Held = 0.95;
    private const double HeaderBytes = 24; // of one frame in RTMP or chunked FLV, generously
    private const double SaturatedShare = 0.95;
    private const double Unstretched = 1.005; // of the window factor, which the metrics page rounds

    public required LoadPoint Point { get; init; }
    public required IReadOnlyList<PlayersReport> Players { get; init; }
    public required PublishersReport Publishers { get; init; }
    public required double WindowFactor { get; init; }
    public required double LatePasses { get; init; }
    public required double Skips { get; init; }

    /// <summary>Media alone, without the headers of a protocol.</summary>
    public required double ClipBitsPerSecond { get; init; }
    public required double ClipMessagesPerSecond { get; init; }

    public int Started => Players.Sum(static p => p.Started);
    public int Dead => Players.Sum(static p => p.Dead);
    public int MostStarved => Players.Sum(static p => p.MostStarved);
    public int Gaps => Players.Sum(static p => p.Verified.Sum(static v => v.Gaps));
    public double GbitPerSecond => Players.Sum(static p => p.GbitPerSecond);

    /// <summary>Of a core; the first process of viewers watches the server.</summary>
    public double ServerShare => Players[0].ServerCpu / Players[0].Seconds;
    public double CpuPerGbit => ServerShare / GbitPerSecond;
    public double LoadShare => Players.Sum(static p => p.OwnCpu / p.Seconds) + (Publishers.OwnCpu / Publishers.Seconds);

    /// <summary>What arrived of what all viewers were to get; headers make it more than 1.</summary>
    public double Delivered => GbitPerSecond * 1e9 / (Point.Viewers * ClipBitsPerSecond);

    /// <summary>The same of the viewer who got least.</summary>
    public double SlowestDelivered => Players.Min(static p => p.SlowestViewerKbps) * 1000 / ClipBitsPerSecond;

    public bool Noisy => Players[0].Noisy;

    /// <summary>Nobody was lost or skipped, whether or not windows had to be stretched for it.</summary>
    public bool IsHeld => !Misses().Any();

    /// <summary>The same within the configured window.</summary>
    public bool IsHeldInWindow => IsHeld && WindowFactor <= Unstretched;

    /// <summary>What keeps the load from being held; empty = held.</summary>
    public IEnumerable<string> Misses()
    {
        if (Started < Point.Viewers) yield return $"{Point.Viewers - Started} viewers did not start";
        if (Dead > 0) yield return $"{Dead} viewers died ({string.Join("; ", Players.SelectMany(static p => p.Reasons).Select(static r => $"{r.Value}x {r.Key}"))})";
        if (MostStarved > 0) yield return $"{MostStarved} viewers got nothing for a second";
        if (SlowestDelivered < Held) yield return $"the slowest viewer got {SlowestDelivered:P1}";
        if (Delivered > 1.05 + Framing) yield return $"{Delivered:P1} arrived: a backlog";
        if (Skips > 0) yield return $"{Skips} skips";
        if (Gaps > 0) yield return $"{Gaps} gaps at the viewers that check";
    }

    /// <summary>What makes the figures worthless, whatever the server did.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var v in Players.SelectMany(static p => p.Verified).Where(static v => !v.Ok && v.AudioFrames > 0).Take(1)) yield return $"bad stream: {v}";
        if (LoadShare > SaturatedShare) yield return $"viewers and publishers used {LoadShare:P0} of their core";
        if (Publishers.Dead > 0 || Publishers.Accepted < Publishers.Publishers) yield return string.Join(", ", Publishers.Faults());
    }

    private double Framing => HeaderBytes * 8 * ClipMessagesPerSecond / ClipBitsPerSecond;
}
