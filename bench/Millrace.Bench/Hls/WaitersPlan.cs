using System.Globalization;

namespace Millrace.Bench.Hls;

/// <summary>What one run of blocked playlist requests does.</summary>
internal sealed record WaitersPlan
{
    /// <summary>Of the server on 127.0.0.1.</summary>
    public required int Port { get; init; }

    /// <summary>Path of the media playlist.</summary>
    public required string Path { get; init; }
    public required int Waiters { get; init; }

    /// <summary>How many parts are measured, alone and by all.</summary>
    public required int Parts { get; init; }

    /// <summary>Parts that all wait for before that, in which the server's code gets compiled.</summary>
    public required int WarmupParts { get; init; }

    /// <summary>New connections per second.</summary>
    public required int Ramp { get; init; }

    /// <summary>Nobody asks for the next part before all have their answer; else each asks as soon as it has its own.</summary>
    public required bool AsksTogether { get; init; }

    /// <summary>Asks for gzip, as browsers do.</summary>
    public required bool Gzip { get; init; }

    /// <summary>Process whose memory and CPU time are sampled.</summary>
    public required int Watch { get; init; }

    public IEnumerable<string> ToArguments() =>
    [
        "waiters", "--json", "--port", Text(Port), "--path", Path, "--waiters", Text(Waiters), "--parts", Text(Parts),
        "--warmup-parts", Text(WarmupParts), "--ramp", Text(Ramp), "--gzip", Gzip ? "true" : "false", "--asks-together", AsksTogether ? "true" : "false", "--watch", Text(Watch),
    ];

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
