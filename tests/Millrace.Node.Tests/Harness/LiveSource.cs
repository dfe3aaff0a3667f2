using System.Diagnostics;

namespace Millrace.Node.Tests.Harness;

/// <summary>A publisher that sends the clip at its own pace, over and over, while something is waited for.</summary>
internal sealed class LiveSource
{
    private readonly RtmpPeer[] _publishers;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly uint _length = TestClip.Media[^1].Time + 40;
    private int _next;

    private LiveSource(RtmpPeer[] publishers)
    {
        _publishers = publishers;
        foreach (var tag in TestClip.Start)
            Send(tag, 0);
    }

    /// <summary>Publishes live/x at each of the nodes, and waits until it can be played there.</summary>
    public static async Task<LiveSource> StartAsync(params TestNode[] nodes)
    {
        var source = new LiveSource(await Task.WhenAll(nodes.Select(node => node.PublishAsync())));
        await source.Until(() => nodes.All(node => node.Node.Context.Registry.Streams.Any(stream => !stream.IsWaiting)), "the stream is live");
        return source;
    }

    public Task Until(Func<bool> condition, string what) => Until(() => Task.FromResult(condition()), what);

    public Task Until(Func<Task<bool>> condition, string what) => Wait.Until(
        () =>
        {
            SendDue();
            return condition();
        },
        what);

    private void SendDue()
    {
        while (true)
        {
            var tag = TestClip.Media[_next % TestClip.Media.Count];
            var shift = (uint)(_next / TestClip.Media.Count) * _length;
            if (tag.Time + shift > _clock.ElapsedMilliseconds)
                return;
            Send(tag, shift);
            _next++;
        }
    }

    private void Send(ClipTag tag, uint shift)
    {
        foreach (var publisher in _publishers)
        {
            if (!publisher.HasEnded)
                publisher.SendMedia(tag, shift);
        }
    }
}
