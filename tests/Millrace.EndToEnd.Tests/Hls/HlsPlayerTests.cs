using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hls;

/// <summary>The world's players play live HLS without an error.</summary>
public sealed class HlsPlayerTests
{
    private const int Seconds = 8;

    private const string Settings = """
        hls:
          segment: 2s
          part: 300ms
        vhosts:
          - name: default
            apps:
              - name: enc
                hls:
                  ts:
                    encrypt: true
        """;

    private static readonly string Clip = Path.Combine(Repository.TestMedia, "bbb-360p.flv");

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(40);

    [Fact(Timeout = 120_000)]
    public async Task Ffmpeg_gstreamer_and_mpv_play_each_form()
    {
        await using var server = await MillraceServer.StartAsync(Settings);
        await using var clear = Ffmpeg.PublishFile(Clip, server.Rtmp("live/bbb"), loop: true);
        await using var encrypted = Ffmpeg.PublishFile(Clip, server.Rtmp("enc/bbb"), loop: true);
        using var live = new HlsClient(server, "live/bbb");
        using var enc = new HlsClient(server, "enc/bbb");
        await live.UntilAsync(live.TsUrl, playlist => playlist.Segments.Count > 1, Soon);
        await enc.UntilAsync(enc.TsUrl, playlist => playlist.Segments.Count > 1, Soon);

        string[] urls = [live.TsUrl, live.LowLatencyUrl, live.LegacyUrl, enc.TsUrl];
        var players = urls.SelectMany(url => (ChildProcess[])
            [Ffmpeg.Play(url, Seconds), Mpv.Play(url, Seconds), Gstreamer.PlayHls(url, pictures: Seconds * 30)]).ToList();
        try
        {
            foreach (var player in players)
            {
                (await player.ExitAsync(Soon)).ShouldBe(0, player.Tail());
                // What ffmpeg's reader says of each fMP4 segment, also of its own muxer's.
                player.Lines().Skip(1).Where(line => line.Length > 0 && !line.Contains("Found duplicated MOOV Atom", StringComparison.Ordinal)).ShouldBeEmpty(player.Tail());
            }
        }
        finally
        {
            foreach (var player in players)
                await player.DisposeAsync();
        }
    }
}
