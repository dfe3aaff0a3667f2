using Millrace.Bench.Load;
using Millrace.Bench.Media;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Crowds;

/// <summary>What the `crowd` load generator does: steady viewers, and guests who are there in some of its windows. Times in seconds unless the name says otherwise.</summary>
internal sealed record CrowdPlan
{
    public const string Name = "clip";

    public required Protocol Protocol { get; init; }
    public required int RtmpPort { get; init; }
    public required int HttpPort { get; init; }
    public required string App { get; init; }

    /// <summary>The server's list of sessions, which says who skipped; null when it has none.</summary>
    public Uri? Sessions { get; init; }

    /// <summary>The windows in turn: whether the guests are there.</summary>
    public required bool[] Windows { get; init; }

    public int Steady { get; init; }

    /// <summary>Each so many-th steady viewer times its pictures; the others count bytes.</summary>
    public int SampleEvery { get; init; } = 10;

    /// <summary>New steady viewers per second.</summary>
    public int Ramp { get; init; } = 500;

    /// <summary>Before a window, without guests and with them.</summary>
    public double Settle { get; init; } = 4;
    public double GuestSettle { get; init; } = 4;
    public double Seconds { get; init; } = 10;

    /// <summary>Least time between two passes over those who only count.</summary>
    public int PaceMs { get; init; } = 10;

    /// <summary>Guests that play and never read.</summary>
    public int Stalled { get; init; }

    /// <summary>Guests that read at half of the stream's rate.</summary>
    public int HalfSpeed { get; init; }

    /// <summary>Guests that come, per second, and stay <see cref="Stay"/>.</summary>
    public int Joins { get; init; }
    public double Stay { get; init; }

    /// <summary>Guests at a time who leave with their first media message, each followed by the next.</summary>
    public int JoinsAtOnce { get; init; }

    public required int Watch { get; init; }
    public required int WatchCore { get; init; }
    public required string Clip { get; init; }

    public int Port => Protocol == Protocol.Flv ? HttpPort : RtmpPort;

    public MediaClient NewClient() => Protocol == Protocol.Flv ? new HttpFlvClient(Port, App, Name) : new RtmpClient(Port, App, Name);
}
