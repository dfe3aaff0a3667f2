using System.Text;
using Millrace.Node.Http;
using Millrace.Node.Settings;

namespace Millrace.Node.Hls;

/// <summary>
/// Requests that have been parsed before: those who watch one stream ask in the same words, thousands of times a second. For
/// one thread.
/// </summary>
internal sealed class HlsRequestCache
{
    /// <summary>What 100 live streams are asked for within one part; more are parsed again.</summary>
    private const int MaxEntries = 1_024;

    /// <summary>Longer words are not those of players.</summary>
    private const int MaxWordBytes = 512;

    private readonly NodeSettings _settings;
    private readonly Dictionary<byte[], HlsRequest> _requests = new(new WordComparer());
    private readonly Dictionary<byte[], HlsRequest>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    public HlsRequestCache(NodeSettings settings)
    {
        _settings = settings;
        _lookup = _requests.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public HlsRequest Get(in HttpRequestHead head)
    {
        var length = head.Target.Length + 1 + head.Host.Length;
        if (length > MaxWordBytes)
            return Parse(head);
        // Neither holds a blank, so that no two pairs are one word.
        Span<byte> word = stackalloc byte[length];
        head.Target.CopyTo(word);
        word[head.Target.Length] = (byte)' ';
        head.Host.CopyTo(word[(head.Target.Length + 1)..]);
        if (_lookup.TryGetValue(word, out var known))
            return known;
        if (_requests.Count == MaxEntries)
            _requests.Clear();
        return _lookup[word] = Parse(head);
    }

    private HlsRequest Parse(in HttpRequestHead head) => HlsRequest.Parse(
        _settings, Encoding.ASCII.GetString(head.Host), Encoding.ASCII.GetString(head.Path), Encoding.ASCII.GetString(head.Query));

    private sealed class WordComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? left, byte[]? right) => left.AsSpan().SequenceEqual(right);

        public int GetHashCode(byte[] word) => GetHashCode(word.AsSpan());

        public bool Equals(ReadOnlySpan<byte> word, byte[] other) => word.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> word)
        {
            // Seeded at random, so that nobody can choose targets that collide.
            var hash = new HashCode();
            hash.AddBytes(word);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> word) => word.ToArray();
    }
}
