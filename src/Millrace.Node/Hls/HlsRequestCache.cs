using System.Text;
using Millrace.Node.Http;
using Millrace.Node.Settings;

namespace Millrace.Node.Hls;

/// <summary>
/// Requests that have been parsed before: those who watch one stream ask in the same words, thousands of times a second. For
/// one thread. Two generations: words of the old one that are asked for again move to the young one, and when that is full or has been
/// there for a while it becomes the old one. So a flood of words that come once does not wash out those that come again and again, and
/// what nobody asks for any more goes, with the answer it had and the stream that was in it.
/// </summary>
internal sealed class HlsRequestCache
{
    /// <summary>Words of a generation: what 100 live streams are asked for within one part.</summary>
    private const int MaxEntries = 1_024;

    /// <summary>Longer words are not those of players.</summary>
    private const int MaxWordBytes = 512;

    /// <summary>A generation's life: longer than any player waits until it asks again (a reload, or a blocked one of three target durations).</summary>
    public const long GenerationMicros = 60_000_000;

    private readonly NodeSettings _settings;
    private Generation _young = new();
    private Generation _old = new();
    private long _youngUntil;

    public HlsRequestCache(NodeSettings settings) => _settings = settings;

    /// <param name="head">A request for HLS.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public HlsRequest Get(in HttpRequestHead head, long now)
    {
        var length = head.Target.Length + 1 + head.Host.Length;
        if (length > MaxWordBytes)
            return Parse(head);
        // Neither holds a blank, so that no two pairs are one word.
        Span<byte> word = stackalloc byte[length];
        head.Target.CopyTo(word);
        word[head.Target.Length] = (byte)' ';
        head.Host.CopyTo(word[(head.Target.Length + 1)..]);
        Sweep(now);
        if (_young.Lookup.TryGetValue(word, out var known))
            return known;
        if (!_old.Lookup.TryGetValue(word, out var key, out known))
            (key, known) = (word.ToArray(), Parse(head));
        if (_young.Requests.Count == MaxEntries)
            Turn(now);
        _young.Requests.Add(key, known);
        return known;
    }

    /// <summary>Forgets what has its time behind it; to be called now and then, also while nobody asks.</summary>
    public void Sweep(long now)
    {
        if (now >= _youngUntil)
            Turn(now);
    }

    /// <summary>The young generation becomes the old one, which is forgotten.</summary>
    private void Turn(long now)
    {
        (_young, _old) = (_old, _young);
        _young.Requests.Clear();
        _youngUntil = now + GenerationMicros;
    }

    private HlsRequest Parse(in HttpRequestHead head) => HlsRequest.Parse(
        _settings, Encoding.ASCII.GetString(head.Host), Encoding.ASCII.GetString(head.Path), Encoding.ASCII.GetString(head.Query));

    private sealed class Generation
    {
        public Generation() => Lookup = Requests.GetAlternateLookup<ReadOnlySpan<byte>>();

        public Dictionary<byte[], HlsRequest> Requests { get; } = new(new WordComparer());

        public Dictionary<byte[], HlsRequest>.AlternateLookup<ReadOnlySpan<byte>> Lookup { get; }
    }

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
