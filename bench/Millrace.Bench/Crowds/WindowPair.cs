namespace Millrace.Bench.Crowds;

/// <summary>Two windows on one server: without guests, and next to it with them.</summary>
internal sealed record WindowPair(CrowdWindow Alone, CrowdWindow Beside)
{
    public const double AllowedFactor = 1.25;
    public const double AllowedMs = 2;

    /// <summary>The steady viewers' p99 beside guests, as a part of what it may be: 1 is the bar.</summary>
    public double OfAllowance => Beside.Delivery.P99 / ((AllowedFactor * Alone.Delivery.P99) + AllowedMs);
}
