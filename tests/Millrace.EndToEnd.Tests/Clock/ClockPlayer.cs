using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Clock;

/// <summary>A player that reads the clock in each picture that it decodes: ffmpeg, with as little delay as it can.</summary>
internal sealed class ClockPlayer : IAsyncDisposable
{
    private readonly ChildProcess _player;
    private readonly Task _reading;
    private readonly Lock _gate = new();
    private readonly List<ClockReading> _readings = [];

    private ClockPlayer(ChildProcess player, string url)
    {
        (_player, Url) = (player, url);
        _reading = ReadAsync();
    }

    /// <summary>What it plays, or where a publisher sends to when it listens.</summary>
    public string Url { get; }

    public bool HasEnded => _player.HasExited;

    /// <summary>Plays a live stream.</summary>
    public static ClockPlayer Play(string url) => new(Ffmpeg.GrayFrames(url), url);

    /// <summary>
    /// The control of a latency measurement: takes the publisher's own coded frames over one TCP connection. No server is in between.
    /// </summary>
    public static async Task<ClockPlayer> ListenAsync()
    {
        var port = Ports.Free();
        var player = new ClockPlayer(Ffmpeg.GrayFrames($"tcp://127.0.0.1:{port}?listen=1"), $"tcp://127.0.0.1:{port}");
        await Ports.ListeningAsync(port, TimeSpan.FromSeconds(10));
        return player;
    }

    public IReadOnlyList<ClockReading> Readings()
    {
        lock (_gate)
        {
            return _readings.ToList();
        }
    }

    /// <summary>Waits for pictures that were drawn after a moment (Unix milliseconds).</summary>
    public Task SeesAsync(int pictures, long drawnAfterMillis, TimeSpan deadline) => Wait.UntilAsync(
        () => Task.FromResult(Readings().Count(reading => reading.DrawnMillis > drawnAfterMillis) >= pictures),
        deadline,
        () => $"{Url}: {Readings().Count} pictures in all, too few of them new\n{_player.Tail()}");

    public async ValueTask DisposeAsync()
    {
        await _player.DisposeAsync();
        await _reading;
    }

    private async Task ReadAsync()
    {
        var pixels = new byte[Ffmpeg.GrayWidth * Ffmpeg.GrayHeight];
        var picture = new GrayImage(Ffmpeg.GrayWidth, Ffmpeg.GrayHeight, pixels);
        while (await _player.Output.ReadAtLeastAsync(pixels, pixels.Length, throwOnEndOfStream: false) == pixels.Length)
        {
            var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            if (ClockReader.TryRead(picture, PictureBox.Whole(picture), now) is { } drawn)
            {
                lock (_gate)
                {
                    _readings.Add(new ClockReading(drawn, now, now));
                }
            }
        }
    }
}
