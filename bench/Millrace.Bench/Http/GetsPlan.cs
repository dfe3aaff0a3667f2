using System.Globalization;

namespace Millrace.Bench.Http;

/// <summary>What one run of plain requests does: connections that ask for one thing again and again, each when it has its answer.</summary>
internal sealed record GetsPlan
{
    /// <summary>Of the server on 127.0.0.1.</summary>
    public required int Port { get; init; }
    public required string Path { get; init; }
    public required int Connections { get; init; }

    /// <summary>Seconds before the measured window.</summary>
    public required double Warmup { get; init; }

    /// <summary>Length of the window.</summary>
    public required double Seconds { get; init; }

    /// <summary>Process whose CPU time is sampled at both ends of the window.</summary>
    public required int Watch { get; init; }

    /// <summary>The core whose busy time is sampled too; -1 = none.</summary>
    public required int WatchCore { get; init; }

    public IEnumerable<string> ToArguments() =>
    [
        "gets", "--json", "--port", Text(Port), "--path", Path, "--connections", Text(Connections), "--warmup", Text(Warmup),
        "--seconds", Text(Seconds), "--watch", Text(Watch), "--watch-core", Text(WatchCore),
    ];

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
