using System.Globalization;

namespace Millrace.EndToEnd.Harness;

/// <summary>
/// What was decoded: ffmpeg's framemd5, one entry a frame, times in seconds.
/// </summary>
internal sealed class FrameDigest
{
    /// <summary>FLV and RTMP count milliseconds, so an audio time may be rounded to either side.</summary>
    private const double AudioToleranceSeconds = 0.0011;

    private readonly List<Frame> _frames = [];

    private FrameDigest()
    {
    }

    public List<Frame> VideoFrames => Of("video");

    public List<Frame> AudioFrames => Of("audio");

    /// <summary>
    /// Parses lines of "stream, dts, pts, duration, size, md5" after "#tb stream: numerator/denominator" and "#media_type stream: kind".
    /// </summary>
    public static FrameDigest Parse(IEnumerable<string> lines)
    {
        var digest = new FrameDigest();
        var tick = new Dictionary<int, double>();
        var kind = new Dictionary<int, string>();
        foreach (var line in lines)
        {
            if (line.StartsWith("#tb ", StringComparison.Ordinal))
            {
                var part = line[4..].Split([':', '/'], StringSplitOptions.TrimEntries);
                tick[Number(part[0])] = (double)Number(part[1]) / Number(part[2]);
            }
            else if (line.StartsWith("#media_type ", StringComparison.Ordinal))
            {
                var part = line[12..].Split(':', StringSplitOptions.TrimEntries);
                kind[Number(part[0])] = part[1];
            }
            else if (line.Split(',', StringSplitOptions.TrimEntries) is { Length: 6 } field && int.TryParse(field[0], out var stream))
            {
                digest._frames.Add(new Frame(kind[stream], long.Parse(field[2], CultureInfo.InvariantCulture) * tick[stream], field[5]));
            }
        }

        return digest;
    }

    public static async Task<FrameDigest> OfFileAsync(params string[] paths)
    {
        await using var ffmpeg = Ffmpeg.Digest(paths);
        return await CollectAsync(ffmpeg, TimeSpan.FromSeconds(60));
    }

    /// <summary>The digest of a player started by <see cref="Ffmpeg.Digest"/>, when it has ended without an error.</summary>
    public static async Task<FrameDigest> CollectAsync(ChildProcess player, TimeSpan deadline)
    {
        (await player.ExitAsync(deadline)).ShouldBe(0, player.Tail());
        return Parse(player.Lines());
    }

    /// <summary>
    /// The same pictures with the same times and the same samples, apart from one constant offset for both tracks:
    /// video exact by Pts, audio by samples, ± 1 ms.
    /// </summary>
    /// <param name="expected">The source.</param>
    /// <param name="videoTolerance">Seconds; for sources whose times are not whole milliseconds.</param>
    public void ShouldEqual(FrameDigest expected, double videoTolerance = 0.0001)
    {
        VideoFrames.Select(frame => frame.Md5).ShouldBe(expected.VideoFrames.Select(frame => frame.Md5), "pictures");
        AudioFrames.Select(frame => frame.Md5).ShouldBe(expected.AudioFrames.Select(frame => frame.Md5), "samples");
        // Sound alone is the first of its track.
        var offset = expected.VideoFrames.Count > 0
            ? VideoFrames[0].Seconds - expected.VideoFrames[0].Seconds
            : AudioFrames[0].Seconds - expected.AudioFrames[0].Seconds;
        Compare(VideoFrames, expected.VideoFrames, offset, videoTolerance, "video time");
        Compare(AudioFrames, expected.AudioFrames, offset, AudioToleranceSeconds, "audio time");
    }

    /// <summary>Only its pictures, or only its sound.</summary>
    public FrameDigest Only(string kind)
    {
        var digest = new FrameDigest();
        digest._frames.AddRange(Of(kind));
        return digest;
    }

    /// <summary>
    /// An unbroken stretch of the expected frames, as a player gets it that came late. The first audio frames are left out:
    /// without the one before, a decoder cannot rebuild the first (overlapping windows, ISO/IEC 14496-3, 4.6.11).
    /// </summary>
    public void ShouldBeStretchOf(FrameDigest expected, int minimumPictures)
    {
        VideoFrames.Count.ShouldBeGreaterThanOrEqualTo(minimumPictures);
        ShouldBeStretchOf(VideoFrames, expected.VideoFrames, "pictures");
        ShouldBeStretchOf(AudioFrames.Skip(2).ToList(), expected.AudioFrames, "samples");
    }

    private static void ShouldBeStretchOf(List<Frame> actual, List<Frame> expected, string what)
    {
        var start = expected.FindIndex(frame => frame.Md5 == actual[0].Md5);
        start.ShouldBeGreaterThanOrEqualTo(0, $"{what}: the first is not in the file");
        var stretch = expected.Skip(start).Take(actual.Count).ToList();
        actual.Select(frame => frame.Md5).ShouldBe(stretch.Select(frame => frame.Md5), what);
        Compare(actual, stretch, actual[0].Seconds - stretch[0].Seconds, AudioToleranceSeconds, what + " time");
    }

    private static void Compare(List<Frame> actual, List<Frame> expected, double offset, double tolerance, string what)
    {
        for (var i = 0; i < expected.Count; i++)
        {
            (actual[i].Seconds - offset).ShouldBe(expected[i].Seconds, tolerance, $"{what} of frame {i}");
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private List<Frame> Of(string kind) => _frames.Where(frame => frame.Kind == kind).ToList();

    /// <summary>One decoded picture ("video") or audio frame.</summary>
    public readonly record struct Frame(string Kind, double Seconds, string Md5);
}
