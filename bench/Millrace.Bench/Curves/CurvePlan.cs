using Millrace.Bench.Servers;

namespace Millrace.Bench.Curves;

internal enum Curve
{
    /// <summary>One stream, ever more viewers.</summary>
    Viewers,

    /// <summary>Ever more streams, the same number of viewers in all.</summary>
    Streams,
}

internal enum Knee
{
    /// <summary>One stream of 300 kbit/s.</summary>
    Viewers10k,

    /// <summary>Streams of 60 kbit/s audio, two viewers each.</summary>
    Streams5k,
}

/// <summary>One load: <c>Viewers</c> in all take turns at the streams.</summary>
internal sealed record LoadPoint(int Streams, int Viewers, int Kilobits);

/// <summary>What all runs of a curve or a knee have in common. Times in seconds unless the name says otherwise.</summary>
internal sealed record CurvePlan
{
    public required LoadPoint[] Points { get; init; }
    public required int[] WindowsMs { get; init; }
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
    public string? Keep { get; init; }

    public static LoadPoint[] PointsOf(Curve curve, int[] steps, int viewers, int kilobits) => curve == Curve.Viewers
        ? [.. Or(steps, 100, 250, 500, 1000, 1500, 2000, 3000, 5000).Select(n => new LoadPoint(1, n, kilobits))]
        : [.. Or(steps, 1, 10, 100, 300, 1000).Select(s => new LoadPoint(s, viewers, kilobits))];

    public static LoadPoint[] PointsOf(Knee knee, int[] steps) => knee == Knee.Viewers10k
        ? [.. Or(steps, 2000, 4000, 6000, 8000, 10000, 12000, 14000, 16000, 18000).Select(static n => new LoadPoint(1, n, 300))]
        : [.. Or(steps, 500, 1000, 1500, 2000, 3000, 4000, 5000, 6000).Select(static s => new LoadPoint(s, 2 * s, 60))];

    private static int[] Or(int[] steps, params int[] usual) => steps.Length > 0 ? steps : usual;

    /// <summary>One server as configured for a curve; null as the window is the peer.</summary>
    public ServerUnderTest Create(int? windowMs) =>
        windowMs is { } ms ? Target.Create(Server, BasePort, ms) : new NginxRtmp(BasePort + 5);
}
