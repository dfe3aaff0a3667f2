using System.Globalization;
using System.Net;
using Millrace.Media;
using Millrace.Node.Cluster;
using Millrace.Node.Settings;
using Millrace.Streams;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Relay;

namespace Millrace.Node.Relay;

/// <summary>What of a stream was found, and where.</summary>
/// <param name="Entry">What the cluster's map has for it; null where no map was asked, or does not answer.</param>
/// <param name="Answers">Of all nodes that were asked.</param>
internal sealed record StreamProbeResult(MapEntry? Entry, IReadOnlyList<StreamAnswer> Answers);

/// <summary>What the cluster's map has for a stream.</summary>
/// <param name="Url">Null: nothing.</param>
/// <param name="At">Where that is; null where it cannot be followed.</param>
internal sealed record MapEntry(string? Url, OriginAddress? At);

/// <summary>What one node says of a stream.</summary>
/// <param name="At">Where it was asked.</param>
/// <param name="IsSelf">It is the node of these settings.</param>
/// <param name="Outcome">What came of it.</param>
/// <param name="Node">Its id; null where it did not come to that.</param>
/// <param name="Error">Why it says nothing.</param>
/// <param name="Facts">What it has.</param>
internal sealed record StreamAnswer(OriginAddress At, bool IsSelf, RelayProbeOutcome Outcome, string? Node, string? Error, StreamFacts? Facts);

/// <summary>A stream as a node has it.</summary>
/// <param name="IsLive">False while its publisher is away, and may come back.</param>
/// <param name="Age">Since its Timeline began there.</param>
/// <param name="Silence">Since the newest unit came.</param>
/// <param name="Tracks">Codec and parameters of each.</param>
/// <param name="Timeline">Its id.</param>
/// <param name="Era">Number of the Era.</param>
/// <param name="Entry">Number of the log's next entry.</param>
/// <param name="Playlists">The forms of HLS that are packaged there, and how many segments each lists.</param>
/// <param name="Publisher">Protocol and address at the authority; null where that is not known.</param>
/// <param name="Path">The nodes that it has come through, the authority first.</param>
internal sealed record StreamFacts(
    bool IsLive, TimeSpan Age, TimeSpan Silence, IReadOnlyList<string> Tracks, string Timeline, int Era, long Entry,
    IReadOnlyList<string> Playlists, string? Publisher, IReadOnlyList<string> Path);

/// <summary>Asks for a stream wherever it can be: at this node, its origins, and the node that the cluster's map names. Starts no play anywhere.</summary>
/// <param name="settings">Valid settings of this side.</param>
internal sealed class StreamProbe(NodeSettings settings)
{
    private readonly RelayProbe _probe = new(settings);

    /// <param name="stream"><c>vhost/app/name</c>.</param>
    /// <param name="isRunning">The node of the settings runs here, and is asked as well.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null for what is no stream's name.</returns>
    public async Task<StreamProbeResult?> RunAsync(string stream, bool isRunning, CancellationToken cancellationToken)
    {
        var slash = stream.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || !StreamName.TryParse(stream[..slash], stream[(slash + 1)..], out var name, out _))
            return null;
        var entry = await FindAsync(name);
        var nodes = OriginsOf(name).Append(entry?.At).OfType<OriginAddress>().Where(static at => at.Kind == OriginKind.Millrace).Distinct()
            .Select(at => AskAsync(at, isSelf: false, name, cancellationToken)).ToList();
        if (isRunning && settings.Relay.Listen is [{ Port: > 0 } own, ..])
            nodes.Insert(0, AskAsync(AddressOf(own), isSelf: true, name, cancellationToken));
        return new StreamProbeResult(entry, await Task.WhenAll(nodes));
    }

    private async Task<StreamAnswer> AskAsync(OriginAddress at, bool isSelf, StreamName name, CancellationToken cancellationToken)
    {
        var result = await _probe.DescribeAsync(at, name, cancellationToken);
        return new StreamAnswer(at, isSelf, result.Outcome, result.Node, result.Error, result.Description is { } description ? FactsOf(description) : null);
    }

    private IEnumerable<OriginAddress?> OriginsOf(StreamName name) => (settings.OriginsOf(settings.VhostOf(name.Vhost), name.App) ?? [])
        .Select(static text => OriginAddress.TryParse(text, out var address, out _) ? address : null);

    private async Task<MapEntry?> FindAsync(StreamName name)
    {
        if (settings.Cluster.Map != OriginMapKind.Redis)
            return null;
        var (error, url) = await RedisProbe.FindAsync(settings.Cluster, name, TimeProvider.System);
        return error is not null ? null : new MapEntry(url, url is not null && OriginUrl.IsUsable(url) ? OriginAddress.TryParseUrl(url) : null);
    }

    private static OriginAddress AddressOf(ListenEndpoint listener)
    {
        var isAny = listener.Address is null || listener.Address.Equals(IPAddress.Any) || listener.Address.Equals(IPAddress.IPv6Any);
        var endpoint = (isAny ? listener with { Address = IPAddress.Loopback } : listener).ToString();
        return new OriginAddress(OriginKind.Millrace, endpoint[..endpoint.LastIndexOf(':')], listener.Port);
    }

    private static StreamFacts FactsOf(RelayDescription description)
    {
        var start = description.Start;
        return new StreamFacts(
            description.IsLive, TimeSpan.FromMicroseconds(description.AgeMicros), TimeSpan.FromMicroseconds(description.SilenceMicros),
            [.. (start.Era?.Tracks ?? []).Select(TextOf)], start.Timeline.Value.ToString("x16", CultureInfo.InvariantCulture), start.Era?.Number ?? 0, start.Number,
            [.. description.Playlists.Select(TextOf)],
            description.Publisher is { } by ? $"{by.Protocol} from {by.Remote}" : null, start.Path);
    }

    private static string TextOf(RelayPlaylistState state) =>
        string.Create(CultureInfo.InvariantCulture, $"{(state.Format == HlsFormat.LowLatency ? "LL-HLS" : "MPEG-TS HLS")}, segments listed: {state.Listed}");

    private static string TextOf(Track track)
    {
        var (codec, config) = (CodecInfo.NameOf(track.Codec), track.Config);
        return track.Kind switch
        {
            TrackKind.Video => string.Create(CultureInfo.InvariantCulture, $"{codec} {config?.CodecString} {config?.Width}x{config?.Height}"),
            TrackKind.Audio => string.Create(CultureInfo.InvariantCulture, $"{codec} {config?.CodecString} {config?.SampleRate} Hz {config?.Channels} ch"),
            _ => codec,
        };
    }
}
