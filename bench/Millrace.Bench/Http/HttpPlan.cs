using Millrace.Bench.Servers;

namespace Millrace.Bench.Http;

internal enum HttpMeasure
{
    /// <summary>Media playlists without a directive.</summary>
    Playlist,

    /// <summary>One part.</summary>
    Part,

    /// <summary>One segment.</summary>
    Segment,
}

/// <summary>What `http` measures.</summary>
internal sealed record HttpPlan
{
    public required HttpMeasure[] Measures { get; init; }
    public required int Runs { get; init; }
    public required int Connections { get; init; }
    public required double Warmup { get; init; }
    public required double Seconds { get; init; }

    /// <summary>Length that the part is to have; a run with another is invalid.</summary>
    public required int PartBytes { get; init; }

    /// <summary>Length that the segment is to have.</summary>
    public required int SegmentBytes { get; init; }

    /// <summary>`hls.part` of our server, ms.</summary>
    public required int PartMs { get; init; }

    /// <summary>`hls.segment` of our server, ms.</summary>
    public required int SegmentMs { get; init; }
    public required string Server { get; init; }
    public required int BasePort { get; init; }
    public required int ServerCore { get; init; }
    public required int LoadCore { get; init; }

    /// <summary>Largest ratio of CPU time per part to nginx's.</summary>
    public double? BarPart { get; init; }

    /// <summary>The same of the segment.</summary>
    public double? BarSegment { get; init; }

    /// <summary>Least ratio of playlists per second to nginx's.</summary>
    public double? BarPlaylist { get; init; }
    public string? Keep { get; init; }

    public MillraceServer CreateServer() => Target.CreateHls(Server, BasePort, PartMs, SegmentMs);
}
