using System.Globalization;
using Millrace.Bench.Media;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Load;

internal enum Protocol
{
    Rtmp,
    Flv,
}

/// <summary>What one run of the load generator does. Times in seconds unless the name says otherwise.</summary>
internal sealed record PlayersPlan
{
    public required int Port { get; init; }
    public Protocol Protocol { get; init; }
    public string App { get; init; } = "bench";
    public string Name { get; init; } = "clip";
    public int Viewers { get; init; } = 1500;
    public int Verify { get; init; } = 4;

    /// <summary>New connections per second.</summary>
    public int Ramp { get; init; } = 500;
    public double Settle { get; init; } = 4;
    public double Seconds { get; init; } = 10;

    /// <summary>How long the last viewer may take to start.</summary>
    public double StartTimeout { get; init; } = 15;

    /// <summary>Least time between two passes over the ready viewers; reading late and much is what keeps the generator cheap.</summary>
    public int PaceMs { get; init; } = 10;

    /// <summary>Process whose CPU time and memory are sampled at both ends of the window; 0 = none.</summary>
    public int Watch { get; init; }

    /// <summary>The core whose busy time is sampled too; -1 = none.</summary>
    public int WatchCore { get; init; } = -1;
    public string? Clip { get; init; }

    public MediaClient NewClient() => Protocol == Protocol.Rtmp ? new RtmpClient(Port, App, Name) : new HttpFlvClient(Port, App, Name);

    /// <summary>The plan as arguments of the `players` command.</summary>
    public IEnumerable<string> ToArguments()
    {
        List<string> all =
        [
            "players", "--json", "--protocol", Protocol.ToString().ToLowerInvariant(), "--port", Text(Port), "--app", App, "--name", Name,
            "--viewers", Text(Viewers), "--verify", Text(Verify), "--ramp", Text(Ramp), "--settle", Text(Settle), "--seconds", Text(Seconds),
            "--pace", Text(PaceMs), "--watch", Text(Watch), "--watch-core", Text(WatchCore), "--start-timeout", Text(StartTimeout),
        ];
        if (Clip is not null) all.AddRange(["--clip", Clip]);
        return all;
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
