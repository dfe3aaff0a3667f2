using Microsoft.Playwright;
using Millrace.EndToEnd.Clock;

namespace Millrace.EndToEnd.Harness;

/// <summary>Looks at the page's video element from outside.</summary>
internal sealed class VideoProbe(IPage page)
{
    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    /// <summary>Waits until the element has moved past its first second.</summary>
    public async Task PlayingAsync(TimeSpan deadline) => await page.WaitForFunctionAsync(
        """
        () => {
          const video = document.querySelector('video');
          return video && !video.paused && video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 30;
        }
        """,
        null,
        new() { Timeout = (float)deadline.TotalMilliseconds });

    /// <summary>Reads the clock from a screenshot; null when the row of bars is not to be seen in it.</summary>
    public async Task<ClockReading?> ScreenshotAsync(string? path = null)
    {
        var box = await PictureAsync();
        var before = Now;
        var png = await page.ScreenshotAsync(new() { Type = ScreenshotType.Png, Path = path });
        var after = Now;
        return ClockReader.TryRead(Png.Decode(png), box, after) is { } drawn ? new ClockReading(drawn, before, after) : null;
    }

    /// <summary>Turns the sound on as a person does: the page starts muted, as browsers demand.</summary>
    public async Task TapForSoundAsync()
    {
        await page.GetByText("Tap for sound").ClickAsync();
        await page.WaitForFunctionAsync("() => { const video = document.querySelector('video'); return !video.muted && video.volume > 0; }");
    }

    /// <summary>Seconds behind the picture that are still in the buffer.</summary>
    public Task<double> KeptAsync() => page.EvaluateAsync<double>(
        "() => { const video = document.querySelector('video'); return video.currentTime - video.buffered.start(0); }");

    /// <summary>Bytes of sound that were decoded so far.</summary>
    public Task<long> AudioBytesAsync() => page.EvaluateAsync<long>("document.querySelector('video').webkitAudioDecodedByteCount");

    /// <summary>The loudest sample of the element's sound over a second, 0 to 1; before the volume, so of a muted element too.</summary>
    public Task<double> LoudestAsync() => page.EvaluateAsync<double>(
        """
        async () => {
          const video = document.querySelector('video');
          const context = new AudioContext();
          await context.resume();
          const analyser = context.createAnalyser();
          analyser.fftSize = 2048;
          context.createMediaStreamSource(video.captureStream()).connect(analyser);
          const samples = new Float32Array(analyser.fftSize);
          let loudest = 0;
          const end = performance.now() + 1000;
          while (performance.now() < end) {
            await new Promise(done => setTimeout(done, 30));
            analyser.getFloatTimeDomainData(samples);
            for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
          }
          await context.close();
          return loudest;
        }
        """);

    /// <summary>The latency that the page itself reads out, in seconds.</summary>
    public Task<double?> ReportedLatencyAsync() => page.EvaluateAsync<double?>("window.__millrace?.latencySeconds ?? null");

    /// <summary>Where the picture lies in the page: the element less its letterbox (object-fit: contain).</summary>
    private async Task<PictureBox> PictureAsync()
    {
        var box = await page.EvaluateAsync<double[]>(
            """
            () => {
              const video = document.querySelector('video');
              const box = video.getBoundingClientRect();
              const scale = Math.min(box.width / video.videoWidth, box.height / video.videoHeight);
              const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
              return [box.x + (box.width - width) / 2, box.y + (box.height - height) / 2, width, height];
            }
            """);
        return new PictureBox(box[0], box[1], box[2], box[3]);
    }
}
