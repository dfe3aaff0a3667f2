using Millrace.Bench.Measure;

namespace Millrace.Bench.Hls;

/// <summary>What LL-HLS viewers of one run came to. Times in ms, memory in KB of 1,024 bytes, <c>Gbit</c> = 10^9 bits received, heads included.</summary>
internal sealed record SteadyReport
{
    private const double SaturatedShare = 0.9;

    public required int Viewers { get; init; }
    public required int Connections { get; init; }

    /// <summary>In the order of the plan's paths: pictures first.</summary>
    public required IReadOnlyList<Rendition> Renditions { get; init; }
    public required double RssBeforeKb { get; init; }

    /// <summary>The largest of those taken when a measured part was ready.</summary>
    public required double RssLargestKb { get; init; }
    public required double Seconds { get; init; }
    public required double Gbit { get; init; }

    /// <summary>Requests that were answered, playlists and parts.</summary>
    public required long Answers { get; init; }

    /// <summary>CPU seconds of the server, with the stream that it takes in and packages meanwhile.</summary>
    public required double ServerCpu { get; init; }

    /// <summary>Seconds that the watched core was busy.</summary>
    public required double CoreBusy { get; init; }
    public required double OwnCpu { get; init; }
    public required IReadOnlyDictionary<string, int> Faults { get; init; }

    public double ServerShare => ServerCpu / Seconds;

    public double OwnShare => OwnCpu / Seconds;

    public double ViewerKb => (RssLargestKb - RssBeforeKb) / Viewers;

    /// <summary>The slowest rendition's delivery decides: a player can show nothing before it has both.</summary>
    public double DeliveryP95 => Renditions.Max(static r => r.Delivery.P95);

    /// <summary>Something else used the server's core.</summary>
    public bool Noisy => CoreBusy > 1.2 * ServerCpu;

    /// <summary>Reasons why the run must not be used; empty = valid.</summary>
    public IEnumerable<string> Invalid()
    {
        foreach (var (reason, count) in Faults) yield return $"{count}x {reason}";
        foreach (var rendition in Renditions)
        {
            if (rendition.Missing > 0) yield return $"{rendition.Missing} parts of {rendition.Name} did not reach a viewer";
        }

        if (OwnShare > SaturatedShare) yield return $"the load generator was busy for {OwnShare:P0} of the time";
    }

    /// <summary>One rendition. All times are of each viewer and part, or playlist.</summary>
    /// <param name="Name">File name of the playlist.</param>
    /// <param name="PartBytes">Mean length of the measured parts.</param>
    /// <param name="PlaylistBytes">Of the last playlist as sent, without the head.</param>
    /// <param name="Playlist">When the playlist that names the part was there, after the first viewer had it.</param>
    /// <param name="Delivery">When the part was there whole, after the first viewer had its playlist.</param>
    /// <param name="AfterAlone">When the part was there whole, after the moment at which a viewer who waits alone has its playlist; contains the publisher's jitter.</param>
    /// <param name="AlonePlaylist">Of the viewer alone: the age of the part when the playlist came, by the playlist's own clock.</param>
    /// <param name="AloneDelivery">Of the viewer alone: from the playlist to the whole part.</param>
    /// <param name="OwnShare">The load generator's share of its core from the first playlist to the last part, half of the parts: near 1 it is what the time was spent on.</param>
    /// <param name="Missing">Measured parts that a viewer did not get.</param>
    internal sealed record Rendition(
        string Name, double PartBytes, long PlaylistBytes, Spread Playlist, Spread Delivery, Spread AfterAlone, Spread AlonePlaylist, Spread AloneDelivery, double OwnShare, long Missing);

    /// <summary>Percentiles, ms.</summary>
    internal sealed record Spread(double P50, double P95, double P99, double Max)
    {
        /// <summary>Of times in seconds.</summary>
        public static Spread Of(IEnumerable<double> seconds)
        {
            double[] sorted = [.. seconds.Select(static s => s * 1000).Order()];
            return new Spread(Summary.Percentile(sorted, 0.5), Summary.Percentile(sorted, 0.95), Summary.Percentile(sorted, 0.99), Summary.Percentile(sorted, 1));
        }
    }
}
