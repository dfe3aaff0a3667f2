using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Media;

/// <summary>The checksums of a clip's frames in order, against which viewers check what they get.</summary>
internal sealed class ClipIndex
{
    private ClipIndex(string path, ulong[] audio, ulong[] video, long mediaBytes, double seconds)
    {
        (Path, Audio, Video, MediaBytes, Seconds) = (path, new Sequence(audio), new Sequence(video), mediaBytes, seconds);
    }

    public string Path { get; }
    public Sequence Audio { get; }
    public Sequence Video { get; }

    /// <summary>Tag bodies, in bytes: what each viewer gets per turn of the clip, without the headers of the protocol.</summary>
    public long MediaBytes { get; }
    public double Seconds { get; }
    public double BitsPerSecond => MediaBytes * 8 / Seconds;
    public bool HasPictures => Video.Count > 0;
    public double MessagesPerSecond => (Audio.Count + Video.Count) / Seconds;

    public static ClipIndex Load(string path)
    {
        var reader = new FlvReader();
        reader.Append(File.ReadAllBytes(path));
        List<ulong> audio = [], video = [];
        long bytes = 0;
        uint last = 0, first = uint.MaxValue;
        while (reader.TryRead(out var tag))
        {
            if (!tag.IsMedia) continue;
            var body = TagBody.Parse(tag.Type, tag.Payload.Span);
            if (body.IsConfig || body.Coded.IsEmpty) continue;
            (tag.Type == MediaMessage.Audio ? audio : video).Add(Checksum(body.Coded));
            bytes += tag.Payload.Length;
            last = Math.Max(last, tag.Timestamp);
            first = Math.Min(first, tag.Timestamp);
        }

        int leading = video.Count > 0 ? video.Count : audio.Count;
        if (leading < 2) throw new InvalidDataException($"{path}: not a clip");
        double seconds = (last - first) / 1000.0 * leading / (leading - 1);
        return new ClipIndex(path, [.. audio], [.. video], bytes, seconds);
    }

    /// <summary>FNV-1a, 64 bits.</summary>
    public static ulong Checksum(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in bytes) hash = (hash ^ b) * 1099511628211;
        return hash;
    }

    internal sealed class Sequence(ulong[] sums)
    {
        private readonly Dictionary<ulong, int> _places = Places(sums);

        public int Count => sums.Length;

        /// <summary>The place of a frame, <paramref name="expected"/> if it is that one (frames may be equal); -1 when it is not the clip's.</summary>
        public int Find(ulong sum, int expected)
        {
            if (expected >= 0 && sums[expected] == sum) return expected;
            return _places.GetValueOrDefault(sum, -1);
        }

        private static Dictionary<ulong, int> Places(ulong[] sums)
        {
            var places = new Dictionary<ulong, int>(sums.Length);
            for (int i = 0; i < sums.Length; i++) places.TryAdd(sums[i], i);
            return places;
        }
    }
}
