using System.Globalization;
using Millrace.Bench.Media;
using Millrace.Bench.Relay;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Load;

internal enum Protocol
{
    Rtmp,
    Flv,

    /// <summary>Edges of Millrace.</summary>
    Relay,
}

/// <summary>What one run of the load generator does. Times in seconds unless the name says otherwise.</summary>
internal sealed record PlayersPlan
{
    public required int Port { get; init; }
    public Protocol Protocol { get; init; }
    public string App { get; init; } = "bench";
    public string Name { get; init; } = "clip";

    /// <summary>0 = all watch <see cref="Name"/>; else they take turns at Name0, Name1, ...</summary>
    public int Streams { get; init; }
    public int Viewers { get; init; } = 1500;

    /// <summary>Number of the first viewer, which source address and stream follow from: 0 but in a second process of the same run.</summary>
    public int First { get; init; }
    public int Verify { get; init; } = 4;

    /// <summary>New connections per second.</summary>
    public int Ramp { get; init; } = 500;
    public double Settle { get; init; } = 4;

    /// <summary>How long the first viewer is alone before the others come, so that memory can be told before and after; 0 = they all come at once.</summary>
    public double Alone { get; init; }
    public double Seconds { get; init; } = 10;

    /// <summary>How long the last viewer may take to start.</summary>
    public double StartTimeout { get; init; } = 15;

    /// <summary>Least time between two passes over the ready viewers; reading late and much is what keeps the generator cheap.</summary>
    public int PaceMs { get; init; } = 10;

    /// <summary>TCP_MAXSEG of the viewers' sockets, bytes: 1460 leaves 1448 beside time stamps, as on Ethernet; 0 = the interface's, which on loopback is 64 KB.</summary>
    public int SegmentBytes { get; init; }

    /// <summary>Process whose CPU time and memory are sampled at both ends of the window; 0 = none.</summary>
    public int Watch { get; init; }

    /// <summary>The core whose busy time is sampled too; -1 = none.</summary>
    public int WatchCore { get; init; } = -1;
    public string? Clip { get; init; }

    /// <summary>Where the watched server tells of its own memory; asked only with <see cref="Alone"/>.</summary>
    public Uri? Metrics { get; init; }

    public MediaClient NewClient(int number)
    {
        string name = Streams > 0 ? Name + Text(number % Streams) : Name;
        return Protocol switch
        {
            Protocol.Rtmp => new RtmpClient(Port, App, name),
            Protocol.Flv => new HttpFlvClient(Port, App, name),
            _ => new RelayClient(App, name, number),
        };
    }

    /// <summary>The plan as arguments of the `players` command.</summary>
    public IEnumerable<string> ToArguments()
    {
        List<string> all =
        [
            "players", "--json", "--protocol", Protocol.ToString().ToLowerInvariant(), "--port", Text(Port), "--app", App, "--name", Name, "--streams", Text(Streams),
            "--viewers", Text(Viewers), "--first", Text(First), "--verify", Text(Verify), "--ramp", Text(Ramp), "--settle", Text(Settle), "--seconds", Text(Seconds),
            "--pace", Text(PaceMs), "--watch", Text(Watch), "--watch-core", Text(WatchCore), "--start-timeout", Text(StartTimeout), "--alone", Text(Alone),
            "--mss", Text(SegmentBytes),
        ];
        if (Clip is not null) all.AddRange(["--clip", Clip]);
        if (Metrics is not null) all.AddRange(["--metrics", Metrics.AbsoluteUri]);
        return all;
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
