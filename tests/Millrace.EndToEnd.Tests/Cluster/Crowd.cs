using Millrace.EndToEnd.Harness;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>As many RTMP as FLV viewers of live/x.</summary>
internal sealed class Crowd : IDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public List<RtmpPeer> Rtmp { get; } = [];

    public List<FlvViewer> Flv { get; } = [];

    public async Task FillAsync(MillraceServer server, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Rtmp.Add(await Viewers.RtmpAsync(server, "x"));
            Flv.Add(await FlvViewer.PlayAsync(server, "x", keeps: true));
        }
    }

    public async Task HasMediaAsync(int count)
    {
        var bytes = Flv.ConvertAll(static viewer => viewer.Bytes);
        foreach (var viewer in Rtmp)
            await viewer.HasMediaAsync(count, Deadline);
        foreach (var (viewer, before) in Flv.Zip(bytes))
            await viewer.HasBytesAsync(before + 10_000, Deadline);
    }

    /// <summary>The numbers of the pictures that each has been sent, in order.</summary>
    public List<List<int>> Numbers() => [.. Rtmp.Select(NumberedSource.NumbersOf), .. Flv.Select(static viewer => viewer.Numbers)];

    public void ShouldAllBeThere()
    {
        Rtmp.ShouldAllBe(static viewer => !viewer.HasEnded);
        Flv.ShouldAllBe(static viewer => !viewer.HasEnded);
    }

    public void Dispose()
    {
        Rtmp.ForEach(static viewer => viewer.Dispose());
        Flv.ForEach(static viewer => viewer.Dispose());
    }
}

/// <summary>Players of LL-HLS.</summary>
internal sealed class HlsCrowd(MillraceServer server, int count) : IAsyncDisposable
{
    public List<HlsFollower> Followers { get; } = [.. Enumerable.Range(0, count).Select(_ => new HlsFollower(server, "x"))];

    /// <summary>The numbers of the pictures that each has played, in order; none has met an answer that it could not go on from.</summary>
    public List<List<int>> Numbers()
    {
        Followers.SelectMany(static follower => follower.Errors).ShouldBeEmpty();
        return Followers.ConvertAll(static follower => follower.Numbers);
    }

    /// <summary>Waits until each of them has got so many more parts.</summary>
    public async Task HasPartsAsync(int more)
    {
        var before = Followers.ConvertAll(static follower => follower.Parts);
        await Wait.UntilAsync(
            () => Task.FromResult(Followers.Zip(before).All(pair => pair.First.Parts >= pair.Second + more)),
            Crowd.Deadline, () => "HLS stands still\n" + server.Process.Tail());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var follower in Followers)
            await follower.DisposeAsync();
    }
}
