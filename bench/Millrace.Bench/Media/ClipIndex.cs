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

    /// <param name="path">An FLV file.</param>
    /// <param name="wholeTurns">As `publishers` send it: a turn is as long as its pictures, and sound beyond that is left out.</param>
    /// <exception cref="InvalidDataException">It is no FLV file, or has too few frames.</exception>
    public static ClipIndex Load(string path, bool wholeTurns = false)
    {
        var reader = new FlvReader();
        reader.Append(File.ReadAllBytes(path));
        List<Frame> frames = [];
        while (reader.TryRead(out var tag))
        {
            if (!tag.IsMedia) continue;
            var body = TagBody.Parse(tag.Type, tag.Payload.Span);
            if (!body.IsConfig && !body.Coded.IsEmpty) frames.Add(new Frame(tag.Type, tag.Timestamp, tag.Payload.Length, Checksum(body.Coded)));
        }

        bool hasVideo = frames.Exists(static f => f.Type == MediaMessage.Video);
        List<Frame> leading = hasVideo ? frames.FindAll(static f => f.Type == MediaMessage.Video) : frames;
        if (leading.Count < 2) throw new InvalidDataException($"{path}: not a clip");
        if (wholeTurns)
        {
            uint first = frames[0].Time, span = leading[^1].Time - leading[0].Time;
            frames.RemoveAll(f => f.Time - first >= span + (span / (uint)(leading.Count - 1)));
        }

        double seconds = (frames.Max(static f => f.Time) - frames.Min(static f => f.Time)) / 1000.0 * leading.Count / (leading.Count - 1);
        return new ClipIndex(path, Sums(MediaMessage.Audio), Sums(MediaMessage.Video), frames.Sum(static f => (long)f.Length), seconds);

        ulong[] Sums(byte type) => [.. frames.Where(f => f.Type == type).Select(static f => f.Sum)];
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

    private readonly record struct Frame(byte Type, uint Time, int Length, ulong Sum);
}
