using System.Text.Json.Serialization;
using Millrace.Bench.Load;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Memory;

internal enum MemoryMeasure
{
    /// <summary>What each viewer above the first costs, in the server and in the kernel.</summary>
    Viewer,

    /// <summary>A node with one stream that nobody watches.</summary>
    Node,

    /// <summary>From the start of the process until its media ports take connections.</summary>
    Start,
}

/// <summary>What `memory` measures. Times in seconds.</summary>
internal sealed record MemoryPlan
{
    public required MemoryMeasure[] Measures { get; init; }
    public required int Runs { get; init; }
    public required int Viewers { get; init; }
    public required Protocol[] Protocols { get; init; }
    public required int Ramp { get; init; }

    /// <summary>How long the first viewer is alone: until the server's logs of the stream have reached their length.</summary>
    public required double Alone { get; init; }
    public required double Settle { get; init; }
    public required double Seconds { get; init; }
    public required double NodeSeconds { get; init; }
    public required int NodeRuns { get; init; }
    public required int Starts { get; init; }
    public required string Server { get; init; }
    public required int BasePort { get; init; }
    public required int ServerCore { get; init; }
    public required int LoadCore { get; init; }
    public double? BarViewerKb { get; init; }

    /// <summary>Largest accepted ratio of kernel memory per viewer to nginx-rtmp's.</summary>
    public double? BarKernel { get; init; }
    public double? BarNodeMb { get; init; }
    public double? BarStartS { get; init; }
    public string? Keep { get; init; }

    [JsonIgnore]
    public int PeerPort => BasePort;

    public ServerUnderTest CreateServer() => Target.Create(Server, BasePort, mergeMs: 30);
}
