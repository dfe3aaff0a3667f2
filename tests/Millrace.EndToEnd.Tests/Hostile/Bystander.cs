using System.Net;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hostile;

/// <summary>
/// A stream and its viewers who must not notice what happens beside them: each picture and sample of the clip arrives, and
/// the server lives on, in bounded memory, and ends in time.
/// </summary>
internal sealed class Bystander : IAsyncDisposable
{
    /// <summary>Resident memory may grow by this over an attack of hundreds of megabytes.</summary>
    private const long MemoryAllowance = 150L << 20;

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private readonly MillraceServer _server;
    private readonly ChildProcess _rtmp;
    private readonly ChildProcess _flv;
    private readonly ChildProcess _publisher;
    private readonly long _memory;

    private Bystander(MillraceServer server, ChildProcess rtmp, ChildProcess flv)
    {
        (_server, _rtmp, _flv) = (server, rtmp, flv);
        _publisher = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bystander"));
        _memory = _server.ResidentBytes();
    }

    public static async Task<Bystander> StartAsync(MillraceServer server)
    {
        var rtmp = Ffmpeg.Digest(server.Rtmp("live/bystander"));
        var flv = Ffmpeg.Digest(server.Http("live/bystander.flv?wait=10s"));
        await Ports.ConnectedAsync(server.RtmpPort, 1, TimeSpan.FromSeconds(10));
        await Ports.ConnectedAsync(server.HttpPort, 1, TimeSpan.FromSeconds(10));
        var bystander = new Bystander(server, rtmp, flv);
        await server.LiveAsync("default/live/bystander");
        return bystander;
    }

    /// <summary>To be called at the end of the attack. Viewers that are still attached must not delay the server's end.</summary>
    public async Task ShouldNotHaveNoticedAsync()
    {
        var deadline = TimeSpan.FromSeconds(40);
        (_server.ResidentBytes() - _memory).ShouldBeLessThan(MemoryAllowance, "memory");
        var expected = await FrameDigest.OfFileAsync(Clip);
        (await _publisher.ExitAsync(deadline)).ShouldBe(0, _publisher.Tail());
        (await FrameDigest.CollectAsync(_rtmp, deadline)).ShouldEqual(expected);
        (await FrameDigest.CollectAsync(_flv, deadline)).ShouldEqual(expected);
        (await _server.StatusAsync("/health")).ShouldBe(HttpStatusCode.OK);

        _server.Process.Terminate();
        (await _server.Process.ExitAsync(TimeSpan.FromSeconds(8))).ShouldBe(0, _server.Process.Tail());
        _server.Process.Tail().ShouldNotContain("Unhandled");
    }

    public async ValueTask DisposeAsync()
    {
        await _publisher.DisposeAsync();
        await _rtmp.DisposeAsync();
        await _flv.DisposeAsync();
    }
}
