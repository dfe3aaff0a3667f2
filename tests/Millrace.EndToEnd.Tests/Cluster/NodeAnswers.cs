using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.EndToEnd.Hls;

namespace Millrace.EndToEnd.Cluster;

/// <summary>What a node answered, but for the fields that are of the moment (Date, Age).</summary>
internal sealed record NodeAnswer(string Node, HttpStatusCode Status, string Fields, byte[] Body)
{
    public HlsPlaylist Playlist => new(Text);

    public string Text => Encoding.UTF8.GetString(Body);

    public static NodeAnswer Of(string node, HttpResponseMessage response, byte[] body)
    {
        string[] fields = [$"{response.Headers.ETag}", $"{response.Headers.CacheControl}", $"{response.Content.Headers.ContentType}", string.Join(',', response.Headers.Vary)];
        return new NodeAnswer(node, response.StatusCode, string.Join(" | ", fields), body);
    }

    public override string ToString() =>
        $"{Node}: {(int)Status}, {Fields}, {Body.Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(Body))[..16]}{(Body.AsSpan().StartsWith("#EXTM3U"u8) ? "\n" + Text : "")}";
}

/// <summary>All answers of all nodes; any two that differ and must not are kept. Any thread.</summary>
internal sealed partial class NodeAnswers
{
    private readonly ConcurrentDictionary<string, NodeAnswer> _first = [];
    private readonly ConcurrentQueue<string> _differences = [];
    private readonly ConcurrentDictionary<(string Node, string Kind), int> _compared = [];

    public IReadOnlyCollection<string> Differences => _differences;

    /// <summary>Answers of a node that had another node's to be compared with.</summary>
    /// <param name="node">Which.</param>
    /// <param name="kind">As given to <see cref="Add"/>.</param>
    public int Compared(string node, string kind) => _compared.GetValueOrDefault((node, kind));

    /// <summary>An object: the same for ever.</summary>
    public void AddObject(string kind, string path, NodeAnswer answer) => Add(kind, path, answer);

    /// <summary>
    /// A playlist: the same wherever it ends in the same part or segment and says the same of the other rendition, which may be a
    /// part further there; all else is the same even then.
    /// </summary>
    public void AddPlaylist(string kind, string path, NodeAnswer answer)
    {
        if (answer.Status != HttpStatusCode.OK)
        {
            Note($"{kind} {path}: {answer}");
            return;
        }

        if (answer.Text.Contains("#EXT-X-SKIP", StringComparison.Ordinal))
            kind += " that skips";
        var playlist = answer.Playlist;
        var end = $"{path} -> {playlist.Hint ?? playlist.Segments.LastOrDefault()?.Uri}{(playlist.IsEnded ? " ended" : "")}";
        Add(kind, $"{end} {string.Join(' ', Reports().Matches(answer.Text).Select(match => match.Value))}", answer);
        var bare = Encoding.UTF8.GetBytes(Reports().Replace(answer.Text, "#EXT-X-RENDITION-REPORT:${uri}"));
        Add(kind + " but for reports", end, answer with { Body = bare, Fields = "" });
    }

    public void Note(string difference) => _differences.Enqueue(difference);

    private void Add(string kind, string key, NodeAnswer answer)
    {
        var first = _first.GetOrAdd($"{kind} {key}", answer);
        if (ReferenceEquals(first, answer))
            return;
        if (first.Node != answer.Node)
        {
            foreach (var node in (string[])[first.Node, answer.Node])
                _compared.AddOrUpdate((node, kind), 1, static (_, count) => count + 1);
        }

        if (first.Status != answer.Status || first.Fields != answer.Fields || !first.Body.AsSpan().SequenceEqual(answer.Body))
            Note($"{kind} {key}\n{first}\n{answer}");
    }

    [GeneratedRegex("#EXT-X-RENDITION-REPORT:(?<uri>URI=\"[^\"]*\"),LAST-MSN=[0-9]+,LAST-PART=[0-9]+")]
    private static partial Regex Reports();
}
