using System.Globalization;
using System.Net;
using Millrace.EndToEnd.Harness;
using Millrace.EndToEnd.Hls;
using Millrace.Node.Tests.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Plays LL-HLS as a player does: one blocking request after the other, and each part that a playlist says is new.</summary>
internal sealed class HlsFollower : IAsyncDisposable
{
    private readonly HlsClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<string> _seen = [];
    private readonly List<int> _numbers = [];
    private readonly List<ulong> _times = [];
    private readonly Task _playing;
    private int _parts;

    public HlsFollower(MillraceServer server, string name, string app = "live")
    {
        _client = new HlsClient(server, $"{app}/{name}");
        _playing = PlayAsync();
    }

    public int Parts => Volatile.Read(ref _parts);

    /// <summary>Of the pictures that have come, in order, where a <see cref="NumberedSource"/> sends them.</summary>
    public List<int> Numbers
    {
        get
        {
            lock (_numbers)
                return [.. _numbers];
        }
    }

    /// <summary>What came that it cannot go on from, so that it does not ask any more.</summary>
    public string? Failure => _playing.IsCompleted ? _playing.Exception?.InnerException?.ToString() ?? "it has ended" : null;

    /// <summary>Answers that a player cannot go on from, without what it tries again.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Each part begins later than the one before, also in another Era.</summary>
    public void ShouldHaveMonotonicTimes()
    {
        lock (_numbers)
        {
            _times.ShouldNotBeEmpty();
            _times.ShouldBeInOrder(SortDirection.Ascending);
            _times.ShouldBeUnique();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _playing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task PlayAsync()
    {
        var url = await _client.RenditionUrlAsync("video");
        var playlist = await _client.PlaylistAsync(url);
        _seen.UnionWith(PartsOf(playlist).SkipLast(4));
        while (!_stop.IsCancellationRequested)
        {
            foreach (var part in PartsOf(playlist).Except(playlist.Gaps).Where(_seen.Add))
                await PlayAsync(part);

            var words = playlist.Hint!.Split('_');
            var next = await _client.GetAsync(string.Create(CultureInfo.InvariantCulture, $"{url}?_HLS_msn={words[2]}&_HLS_part={words[3]}"));
            if (next.Status == HttpStatusCode.OK)
                playlist = next.Playlist;
            else if (next.Status != HttpStatusCode.ServiceUnavailable)
                Errors.Add($"{url}: {next.Status}");
        }
    }

    private async Task PlayAsync(string part)
    {
        var answer = await _client.GetAsync(_client.InFolder(part));
        if (answer.Status != HttpStatusCode.OK)
        {
            Errors.Add($"{part}: {answer.Status}");
            return;
        }

        lock (_numbers)
        {
            _numbers.AddRange(NumberedSource.NumbersIn(answer.Body));
            _times.Add(Box.Parse(answer.Body).First(static box => box.Type == "moof").Find("traf", "tfdt").UInt64(4));
            Volatile.Write(ref _parts, _parts + 1);
        }
    }

    private static IEnumerable<string> PartsOf(HlsPlaylist playlist) => playlist.Segments.SelectMany(static segment => segment.Parts).Concat(playlist.OpenParts);
}
