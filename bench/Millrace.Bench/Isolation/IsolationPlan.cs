using Millrace.Bench.Crowds;
using Millrace.Bench.Load;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Isolation;

/// <summary>What `isolation` compares. Times in seconds unless the name says otherwise.</summary>
internal sealed record IsolationPlan
{
    public required int Viewers { get; init; }
    public required int Stalled { get; init; }
    public required int HalfSpeed { get; init; }
    public required Protocol Protocol { get; init; }
    public required int MergeMs { get; init; }

    /// <summary>Pairs of a window without the slow viewers and one with them.</summary>
    public required int Runs { get; init; }
    public required double Seconds { get; init; }
    public required double Settle { get; init; }
    public required double SlowSettle { get; init; }
    public required int SampleEvery { get; init; }
    public required int PaceMs { get; init; }
    public required string Server { get; init; }
    public required int BasePort { get; init; }
    public required int ServerCore { get; init; }
    public required int LoadCore { get; init; }
    public string? Keep { get; init; }

    public CrowdPlan Crowd(ServerUnderTest server, string clip) => new()
    {
        Protocol = Protocol,
        RtmpPort = server.RtmpPort,
        HttpPort = server.HttpPort,
        App = ServerUnderTest.App,
        Sessions = server.Sessions,
        Windows = [.. Enumerable.Range(0, 2 * Runs).Select(static i => i % 2 == 1)],
        Steady = Viewers,
        SampleEvery = SampleEvery,
        Settle = Settle,
        GuestSettle = SlowSettle,
        Seconds = Seconds,
        PaceMs = PaceMs,
        Stalled = Stalled,
        HalfSpeed = HalfSpeed,
        Watch = server.ProcessId,
        WatchCore = ServerCore,
        Clip = clip,
    };
}
