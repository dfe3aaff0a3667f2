using System.Globalization;

namespace Millrace.Bench.Hls;

/// <summary>What one run of LL-HLS viewers does.</summary>
internal sealed record SteadyPlan
{
    /// <summary>Of the server on 127.0.0.1.</summary>
    public required int Port { get; init; }

    /// <summary>Paths of the media playlists that each viewer follows, that of the pictures first.</summary>
    public required string[] Paths { get; init; }
    public required int Viewers { get; init; }

    /// <summary>Each rendition's parts have a connection beside that of its playlists, as in browsers; else both share one, and the next playlist is asked for behind the part.</summary>
    public required bool IsSplit { get; init; }

    /// <summary>Asks for delta updates, as hls.js does.</summary>
    public required bool Skip { get; init; }
    public required bool Gzip { get; init; }

    /// <summary>How many parts of each rendition are measured, alone and by all.</summary>
    public required int Parts { get; init; }

    /// <summary>Parts that all take before that, in which the server's code gets compiled.</summary>
    public required int WarmupParts { get; init; }

    /// <summary>New connections per second.</summary>
    public required int Ramp { get; init; }

    /// <summary>Process whose memory and CPU time are sampled.</summary>
    public required int Watch { get; init; }

    /// <summary>The core whose busy time is sampled too; -1 = none.</summary>
    public required int WatchCore { get; init; }

    public IEnumerable<string> ToArguments() =>
    [
        "watchers", "--json", "--port", Text(Port), "--paths", string.Join(',', Paths), "--viewers", Text(Viewers), "--split", Text(IsSplit), "--skip", Text(Skip),
        "--gzip", Text(Gzip), "--parts", Text(Parts), "--warmup-parts", Text(WarmupParts), "--ramp", Text(Ramp), "--watch", Text(Watch), "--watch-core", Text(WatchCore),
    ];

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(bool value) => value ? "true" : "false";
}
