using System.Globalization;

namespace Millrace.Bench.Send;

/// <summary>What `send` measures.</summary>
internal sealed record SendPlan
{
    public required string[] Cases { get; init; }

    /// <summary>Names of variants; empty = all.</summary>
    public required string[] Variants { get; init; }
    public required int Rounds { get; init; }

    /// <summary>Of a stream.</summary>
    public required int Viewers { get; init; }

    /// <summary>That ask for objects.</summary>
    public required int Askers { get; init; }

    /// <summary>Seconds before the measured window.</summary>
    public required double Warmup { get; init; }

    /// <summary>Length of the window; a stream's is a whole number of passes and groups of pictures.</summary>
    public required double Seconds { get; init; }

    /// <summary>Least milliseconds between two reads of a stream's receiver.</summary>
    public required int PaceMs { get; init; }

    /// <summary>Receivers copy what they get, instead of dropping it in the kernel.</summary>
    public required bool Copies { get; init; }

    /// <summary>TCP_MAXSEG of the receivers, bytes; 0 = the interface's. Segments set how far the kernel lets a socket's buffer grow.</summary>
    public required int SegmentBytes { get; init; }
    public required int Port { get; init; }
    public required int ServerCore { get; init; }
    public required int LoadCore { get; init; }
    public string? Keep { get; init; }

    public int ConnectionsOf(SendCase sendCase) => sendCase.IsStream ? Viewers : Askers;

    public IEnumerable<string> SinkArguments(SendCase sendCase) =>
    [
        "sinks", "--port", Text(Port), "--connections", Text(ConnectionsOf(sendCase)), "--pace", Text(sendCase.IsStream ? PaceMs : 0),
        "--object-bytes", Text(sendCase.IsStream ? 0 : sendCase.ObjectBytes + SendPath.HeadBytes), "--mss", Text(SegmentBytes), .. Copies ? ["--copy"] : Array.Empty<string>(),
    ];

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
