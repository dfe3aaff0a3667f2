using System.Globalization;

namespace Millrace.Bench.Publish;

/// <summary>What one run of the publishers does. Times in seconds unless the name says otherwise.</summary>
internal sealed record PublishersPlan
{
    public required int Port { get; init; }
    public string App { get; init; } = "bench";

    /// <summary>Streams are Prefix0, Prefix1, ...</summary>
    public string Prefix { get; init; } = "s";
    public int Publishers { get; init; } = 500;

    /// <summary>An FLV file.</summary>
    public required string Clip { get; init; }

    /// <summary>RTMP chunk size: 4096 as OBS Studio sends.</summary>
    public int Chunk { get; init; } = 4096;

    /// <summary>New connections per second.</summary>
    public int Ramp { get; init; } = 250;

    /// <summary>How long the last publisher may take to be accepted.</summary>
    public double StartTimeout { get; init; } = 15;
    public double Settle { get; init; } = 3;

    /// <summary>The measured window; 0 = until the process is told to end.</summary>
    public double Seconds { get; init; } = 10;

    /// <summary>How long to go on after the report.</summary>
    public double Linger { get; init; }

    /// <summary>Least time between two passes over the publishers; what became due in between goes out with one call.</summary>
    public int PaceMs { get; init; } = 10;

    /// <summary>Number of the first source address, so that publishers share none with the viewers of the same run.</summary>
    public int FirstSource { get; init; } = 4_000_000;

    /// <summary>Process whose CPU time and memory are sampled at both ends of the window; 0 = none.</summary>
    public int Watch { get; init; }

    /// <summary>The core whose busy time is sampled too; -1 = none.</summary>
    public int WatchCore { get; init; } = -1;

    /// <summary>The plan as arguments of the `publishers` command.</summary>
    public IEnumerable<string> ToArguments() =>
    [
        "publishers", "--json", "--port", Text(Port), "--app", App, "--prefix", Prefix, "--publishers", Text(Publishers), "--clip", Clip,
        "--chunk", Text(Chunk), "--ramp", Text(Ramp), "--start-timeout", Text(StartTimeout), "--settle", Text(Settle), "--seconds", Text(Seconds),
        "--linger", Text(Linger), "--pace", Text(PaceMs), "--first-source", Text(FirstSource), "--watch", Text(Watch), "--watch-core", Text(WatchCore),
    ];

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
