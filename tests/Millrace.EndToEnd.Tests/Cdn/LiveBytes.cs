using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;

namespace Millrace.EndToEnd.Cdn;

/// <summary>What viewers got, compared: whoever asks for the same gets the same. Any thread.</summary>
internal sealed class LiveBytes
{
    private readonly ConcurrentDictionary<string, byte[]> _first = [];
    private readonly ConcurrentDictionary<byte[], LivePlaylist> _playlists = [];

    /// <summary>What is wrong.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    /// <summary>Different things that were compared.</summary>
    public int Count => _first.Count;

    /// <summary>The copy that all share.</summary>
    /// <param name="name">What has one content for ever: path, query and encoding.</param>
    /// <param name="bytes">As they came.</param>
    public byte[] Same(string name, byte[] bytes)
    {
        var first = _first.GetOrAdd(name, bytes);
        if (!ReferenceEquals(first, bytes) && !first.AsSpan().SequenceEqual(bytes))
            Faults.Enqueue($"{name}: two contents, {first.Length} and {bytes.Length} bytes");
        return first;
    }

    /// <summary>A playlist that all share, read once.</summary>
    /// <param name="list">Its URL without a query.</param>
    /// <param name="query">What it was asked for with.</param>
    /// <param name="bytes">As they came.</param>
    /// <param name="isGzip">How they are encoded.</param>
    public LivePlaylist Shared(string list, string query, byte[] bytes, bool isGzip) =>
        _playlists.GetOrAdd(Same($"{list}{query} {isGzip}", bytes), shared => Read(list, shared, isGzip));

    /// <summary>
    /// Reads a playlist. Whoever gave it, and however it was asked for: two that have the same end are the same, but for what they report of the other
    /// renditions, which go on meanwhile.
    /// </summary>
    public LivePlaylist Read(string list, byte[] bytes, bool isGzip)
    {
        var text = Text(bytes, isGzip);
        var playlist = new LivePlaylist(text);
        var form = text.Contains("#EXT-X-SKIP", StringComparison.Ordinal) ? "delta" : "whole";
        var own = text.Split('\n').Where(static line => !line.StartsWith("#EXT-X-RENDITION-REPORT", StringComparison.Ordinal));
        Same($"{list} up to {playlist.Hint}, {form}", Encoding.UTF8.GetBytes(string.Join('\n', own)));
        return playlist;
    }

    public static string Text(byte[] bytes, bool isGzip)
    {
        if (!isGzip)
            return Encoding.UTF8.GetString(bytes);
        using var reader = new StreamReader(new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }
}
