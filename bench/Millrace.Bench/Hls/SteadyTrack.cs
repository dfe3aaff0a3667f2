using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Millrace.Bench.Hls;

/// <summary>
/// One rendition as all viewers follow it: which playlist is asked for after which, and the parts that they name. Only the first answer to
/// each question is parsed: the others say the same, or are newer.
/// </summary>
internal sealed class SteadyTrack(SteadyPlan plan, string path)
{
    private readonly List<Round> _rounds = [];
    private readonly List<Part> _parts = [];
    private MediaPlaylistText? _newest;

    public string Name => path[(path.LastIndexOf('/') + 1)..];

    /// <summary>Playlist questions in their order; the last has no answer yet.</summary>
    public IReadOnlyList<Round> Rounds => _rounds;

    /// <summary>All parts that a playlist has named so far, from the start on.</summary>
    public IReadOnlyList<Part> Parts => _parts;

    public long PlaylistBytes { get; private set; }

    /// <summary>Takes what is there now as the start: the part that comes next is the first.</summary>
    public void Begin(ReadOnlySpan<byte> body) => Follow(Parse(body));

    /// <summary>Takes the first answer to the last question.</summary>
    /// <param name="body">The playlist.</param>
    /// <param name="now">When it came, on the set's clock.</param>
    /// <param name="unix">The same in seconds of Unix time.</param>
    public void Answered(ReadOnlySpan<byte> body, double now, double unix)
    {
        var round = _rounds[^1];
        PlaylistBytes = body.Length;
        var playlist = Parse(body);
        foreach (var part in playlist.Parts)
        {
            if (part.Segment < _newest!.NextSegment || (part.Segment == _newest.NextSegment && part.Number < _newest.NextPart)) continue;
            _parts.Add(new Part(GetterSet.Request(plan.Port, path[..(path.LastIndexOf('/') + 1)] + part.Uri), now, unix - playlist.EndUnix));
        }

        (round.Ready, round.KnownParts) = (now, _parts.Count);
        Follow(playlist);
    }

    private void Follow(MediaPlaylistText playlist)
    {
        _newest = playlist;
        string skip = plan.Skip ? "&_HLS_skip=YES" : "";
        _rounds.Add(new Round(GetterSet.Request(
            plan.Port, string.Create(CultureInfo.InvariantCulture, $"{path}?_HLS_msn={playlist.NextSegment}&_HLS_part={playlist.NextPart}{skip}"), plan.Gzip)));
    }

    private MediaPlaylistText Parse(ReadOnlySpan<byte> body)
    {
        if (!plan.Gzip) return MediaPlaylistText.Parse(Encoding.UTF8.GetString(body));
        using var gzip = new GZipStream(new MemoryStream(body.ToArray()), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        return MediaPlaylistText.Parse(reader.ReadToEnd());
    }

    /// <summary>One question for a playlist.</summary>
    internal sealed class Round(byte[] request)
    {
        public byte[] Request { get; } = request;

        /// <summary>When the first answer came; NaN before.</summary>
        public double Ready { get; set; } = double.NaN;

        /// <summary>Parts that are named by its answer and those before.</summary>
        public int KnownParts { get; set; }

        /// <summary>When each answer came, after the first; seconds.</summary>
        public List<double> Times { get; } = [];
    }

    /// <summary>One part.</summary>
    /// <param name="request">That asks for it.</param>
    /// <param name="ready">When the first playlist that names it came.</param>
    /// <param name="age">Its age at that moment by the playlist's own clock, seconds.</param>
    internal sealed class Part(byte[] request, double ready, double age)
    {
        public byte[] Request { get; } = request;
        public double Ready { get; } = ready;
        public double Age { get; } = age;

        /// <summary>Content-Length of the first answer; 0 before.</summary>
        public long Length { get; set; }

        /// <summary>When each viewer had it whole, after <see cref="Ready"/>; seconds.</summary>
        public List<double> Times { get; } = [];

        /// <summary>CPU seconds of this process when the playlist came; from the last viewer on what passed in between.</summary>
        public double OwnCpu { get; set; } = Environment.CpuUsage.TotalTime.TotalSeconds;
    }
}
