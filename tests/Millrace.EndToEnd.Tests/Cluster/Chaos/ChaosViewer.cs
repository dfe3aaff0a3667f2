using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster.Chaos;

/// <summary>A viewer of any protocol.</summary>
/// <param name="edge">Where he is.</param>
/// <param name="stream">What he watches.</param>
/// <param name="protocol">By what.</param>
/// <param name="second">What a second of the stream is at least, in the units of <paramref name="progress"/>.</param>
/// <param name="progress">What he has got so far.</param>
/// <param name="problem">What must not happen to him, if it has.</param>
/// <param name="leave">He leaves; what is wrong with all that he got fails the test.</param>
internal sealed class ChaosViewer(
    ChaosNode edge, ChaosStream stream, string protocol, long second, Func<long> progress, Func<string?> problem, Func<ValueTask> leave) : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public ChaosNode Edge => edge;

    public ChaosStream Stream => stream;

    public long Progress => progress();

    public string? Problem => problem();

    public static async Task<ChaosViewer> RtmpAsync(ChaosNode edge, ChaosStream stream)
    {
        var peer = await Viewers.RtmpAsync(edge.Server, stream.Name, stream.App);
        return new ChaosViewer(edge, stream, "RTMP", 45, () => peer.MediaCount, () => peer.HasEnded ? "disconnected" : null, () =>
        {
            peer.Dispose();
            peer.ShouldHaveMonotonicTimes();
            return ValueTask.CompletedTask;
        });
    }

    /// <summary>Of a stream that is there.</summary>
    public static async Task<ChaosViewer> FlvAsync(ChaosNode edge, ChaosStream stream)
    {
        var viewer = await FlvViewer.PlayAsync(edge.Server, stream.Name, stream.App, keeps: true);
        return new ChaosViewer(edge, stream, "FLV", 18_000, () => viewer.Bytes, () => viewer.HasEnded ? "disconnected" : null, () =>
        {
            viewer.Dispose();
            viewer.ShouldHaveMonotonicTimes();
            return ValueTask.CompletedTask;
        });
    }

    /// <summary>Of a stream that is there.</summary>
    public static ChaosViewer Hls(ChaosNode edge, ChaosStream stream)
    {
        var follower = new HlsFollower(edge.Server, stream.Name, stream.App);
        return new ChaosViewer(
            edge, stream, "HLS", 4, () => follower.Parts,
            () => follower.Errors.Count > 0 ? string.Join(", ", follower.Errors) : follower.Failure, async () =>
            {
                await follower.DisposeAsync();
                follower.ShouldHaveMonotonicTimes();
            });
    }

    /// <summary>Waits until each of them has got a second more; a problem of any of them fails the test at once.</summary>
    public static async Task FlowAsync(IReadOnlyCollection<ChaosViewer> viewers)
    {
        var before = viewers.Select(viewer => (Viewer: viewer, Enough: viewer.Progress + viewer.Second)).ToList();
        await Wait.UntilAsync(
            () =>
            {
                before.Where(static entry => entry.Viewer.Problem is not null).Select(static entry => $"{entry.Viewer}: {entry.Viewer.Problem}").ShouldBeEmpty();
                return Task.FromResult(before.TrueForAll(static entry => entry.Viewer.Progress >= entry.Enough));
            },
            Deadline,
            () => "nothing comes at: " + string.Join(", ", before.Where(static entry => entry.Viewer.Progress < entry.Enough).Select(static entry => entry.Viewer)));
    }

    public ValueTask DisposeAsync() => leave();

    public override string ToString() => $"{protocol} viewer of {stream.Name} at {edge.Name}";

    private long Second => second;
}
