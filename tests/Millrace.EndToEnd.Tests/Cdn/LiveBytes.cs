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

    /// <summary>Reads a playlist that all share, once.</summary>
    public LivePlaylist Read(byte[] bytes, bool isGzip) => _playlists.GetOrAdd(bytes, static (bytes, isGzip) => new LivePlaylist(Text(bytes, isGzip)), isGzip);

    public static string Text(byte[] bytes, bool isGzip)
    {
        if (!isGzip)
            return Encoding.UTF8.GetString(bytes);
        using var reader = new StreamReader(new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }
}
