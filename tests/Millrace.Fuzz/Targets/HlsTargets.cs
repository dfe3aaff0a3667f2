using System.Text;
using Millrace.Media;
using Millrace.Node;
using Millrace.Node.Hls;
using Millrace.Node.Http;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;
using Millrace.Streams.Publishing;

namespace Millrace.Fuzz.Targets;

/// <summary>Requests for HLS: path, query, and the fields that choose a representation, on a line each.</summary>
internal sealed class HlsRequestTarget() : FuzzTarget("hls-request")
{
    private const int BodyLength = 1_000;

    private readonly NodeContext _node = HttpTarget.CreateNode();

    /// <summary>Each path is tried as that of two streams, and each segment of it makes small strings.</summary>
    public override long AllocatedPerByte => 1_024;

    public override IReadOnlyList<Seed> Seeds { get; } =
    [
        Of("/live/cam/llhls.m3u8\n\ngzip, deflate, br\n\n\n"),
        Of("/live/cam/chunklist_0_video_0123456789ab_llhls.m3u8\n_HLS_msn=12&_HLS_part=3&_HLS_skip=YES\n*;q=0.5\n\"0123456789ab\"\n\n"),
        Of("/live/cam/part_0_12_3_audio_0123456789ab_llhls.m4s\n_HLS_legacy=YES&_HLS_skip=v2&x=%zz\ngzip;q=0\nW/\"a\", *\nbytes=0-99\n\"b\""),
        Of("/a/b/init_0_1_2_video_0123456789ab_llhls.m4s\n%5FHLS_msn=18446744073709551616\n\n\nbytes=-5\n"),
        Of("/live/cam-0123456789ab-7.ts\nvhost=default&&=\n\n\nbytes=999999999999999-\n"),
        Of("/live/cam/0123456789ab-7.key\n_HLS_msn\n\n\nbytes=5-2,7-\n"), Of("/live/cam/playlist.m3u8\n\n\n\n\n"), Of("/live/..%2f/index.m3u8\n\n\n\n\n"),
    ];

    public override int MaxLength => 8 * 1024;

    public override void Run(byte[] input, Random random)
    {
        var lines = Encoding.UTF8.GetString(input).Split('\n', 6);
        string Line(int number) => number < lines.Length ? lines[number] : "";
        if (HlsTarget.TryParse(Line(0), out var target))
        {
            BrokenInvariantException.ThrowIf(target.Number < 0 || target.Part < 0 || target.Rendition.Number is < 0 or > 255, "a number that is not one");
            BrokenInvariantException.ThrowIf(target.StreamPaths().Count() > 2, "more than two streams of one path");
        }

        var isParsed = HlsDirectives.TryParse(Line(1), out var directives, out var error);
        BrokenInvariantException.ThrowIf(isParsed != error is null, "neither directives nor an error, or both");
        BrokenInvariantException.ThrowIf(directives.Segment < -1 || directives.Part < -1 || (directives.Part >= 0 && directives.Segment < 0), "directives that cannot be");

        var fields = new MediaRequestFields(false, MediaRequestFields.MayBeGzip(Encoding.UTF8.GetBytes(Line(2))), Line(3), Line(4), Line(5));
        _ = fields.HasAlready("\"a\"");
        if (fields.TryGetRange("\"b\"", BodyLength, out var from, out var count))
            BrokenInvariantException.ThrowIf(count < 0 || (count > 0 && (from < 0 || from + count > BodyLength)), $"a range of {count} bytes from {from} on");

        var resource = new HlsResolver(_node).Resolve(HlsRequest.Parse(_node.Settings, "h", Line(0), Line(1)), access: null, 0);
        BrokenInvariantException.ThrowIf(resource.Status is not (400 or 404), $"status {resource.Status} without a stream");
        BrokenInvariantException.ThrowIf(resource.Explanation.AsSpan().TrimEnd('\n').IndexOfAnyInRange('\0', '\x1f') >= 0, "control characters are sent back");
    }

    private static Seed Of(string text) => new(Encoding.UTF8.GetBytes(text));
}

/// <summary>
/// A publisher that does what the input says, four bytes at a time, with both forms of HLS in little memory. Whatever it
/// does, no segment is longer than TARGETDURATION, numbers go on, and all memory comes back.
/// </summary>
internal sealed class PackagerTarget() : FuzzTarget("packager")
{
    private const long Budget = 6 << 20;
    private const int OperationLength = 4;
    private const long Day = 86_400_000_000;

    private static readonly Config Picture = new() { Codec = Codec.H264, InitData = new byte[] { 1, 0x42, 0xC0, 0x1E, 0xFF, 0xE0, 0 }, CodecString = "avc1.42c01e", Width = 640, Height = 360, NalLengthSize = 4 };

    private static readonly Config Sound = new() { Codec = Codec.Aac, InitData = new byte[] { 0x12, 0x10 }, CodecString = "mp4a.40.2", SampleRate = 44_100, Channels = 2, SamplesPerFrame = 1_024 };

    private readonly BlockPool _pool = new();

    public override IReadOnlyList<Seed> Seeds { get; } = [new(Steady(25, 600)), new(Steady(200, 300)), new([.. Steady(10, 200), 5, 0, 0, 0, 6, 200, 0, 0, .. Steady(10, 200), 4, 3, 0, 0, .. Steady(3, 100)])];

    public override int MaxLength => 4 * 1024;

    public override long AllocatedBase => 16 << 20;

    // Four bytes may end a publisher and begin another, with all that belongs to an Era, and each ends parts.
    public override long AllocatedPerByte => 64 * 1024;

    public override void Run(byte[] input, Random random)
    {
        var budget = new MemoryBudget(Budget);
        var rule = new CutRule { SegmentMicros = random.Next(1, 8) * 1_000_000, PartMicros = random.Next(1, 20) * 100_000, Mode = (CutMode)random.Next(3), IsStrict = random.Next(3) == 0 };
        var options = new HlsOptions { Cuts = rule, Segments = random.Next(3, 8), Ts = new TsOptions { IsEncrypted = random.Next(2) == 0, KeepsRemoved = random.Next(4) == 0 } };
        var resources = new StreamResources(_pool, budget, new StreamOptions { UnixOffsetMicros = 1_700_000_000_000_000 }) { Hls = _ => options };
        var run = new PublisherRun(new LiveStream(new StreamName("default", "live", "fuzz"), resources));
        for (var at = 0; at + OperationLength <= input.Length; at += OperationLength)
        {
            run.Do(input.AsSpan(at, OperationLength));
            BrokenInvariantException.ThrowIf(budget.Used > Budget, $"{budget.Used} bytes in use");
        }

        run.End();
        BrokenInvariantException.ThrowIf(!options.Ts.KeepsRemoved && budget.Used != 0, $"{budget.Used} bytes are left of a stream that has ended");
    }

    private static byte[] Steady(int group, int frames) =>
        [.. Enumerable.Range(0, frames).SelectMany(i => (byte[])[(byte)(i % group == 0 ? 1 : 0), 40, 10, 0, 2, 0, 5, 0])];

    private sealed class PublisherRun(LiveStream stream)
    {
        private readonly byte[] _payload = new byte[64 * 1024];
        private readonly Dictionary<HlsPackager, (long Target, long Next)> _seen = [];
        private PublisherLease? _lease;
        private long _now = 1_000_000;
        private long _time;
        private long _sound;

        /// <summary>Kind, milliseconds, size, and how much wall time differs.</summary>
        public void Do(ReadOnlySpan<byte> operation)
        {
            var (kind, step, size) = (operation[0] % 8, operation[1] * 1_000L, Math.Min(_payload.Length, 16 + (operation[2] * operation[2])));
            if (kind is 0 or 1)
                (_time, _now) = (_time + step, _now + step + (operation[3] * 100));
            switch (kind)
            {
                case 0 or 1:
                    Append(TrackKind.Video, _time, kind == 1, size);
                    break;
                case 2 or 3:
                    _sound = kind == 2 ? Math.Max(_sound + 23_220, _time - 500_000) : _time + ((step - 128_000) * 8);
                    Append(TrackKind.Audio, _sound, true, size);
                    break;
                case 4:
                    _time += (step - 128_000) * 100;
                    break;
                case 5:
                    _lease?.End(isClean: operation[3] % 2 == 0, _now);
                    _lease = null;
                    break;
                case 6:
                    _now += step * 10;
                    _ = stream.Sweep(_now);
                    break;
                default:
                    _lease?.SetConfig(0, new Config { Codec = Codec.H264, InitData = new byte[] { 1, 0x42, 0xC0, operation[1], 0xFF, 0xE0, 0 }, CodecString = "avc1", Width = operation[3] % 2 == 0 ? 640 : 320, Height = 360, NalLengthSize = 4 });
                    break;
            }

            foreach (var format in (HlsFormat[])[HlsFormat.LowLatency, HlsFormat.TransportStream])
            {
                if (stream.UseHls(format, _now, out _) is { } packager)
                    Check(packager, packager.Snapshot);
            }
        }

        public void End()
        {
            _lease?.End(isClean: true, _now);
            for (var i = 0; i < 4; i++)
                _ = stream.Sweep(_now += Day);
        }

        private void Append(TrackKind kind, long time, bool isKey, int size)
        {
            if (_lease is null)
            {
                _lease = stream.TryAcquire(new PublisherInfo("1", "rtmp", "fuzz", DuplicatePolicy.Takeover, 5_000_000), _ => _lease = null, _now, out _);
                _lease?.SetConfig(0, Picture);
                _lease?.SetConfig(0, Sound);
            }

            _payload.AsSpan(0, 5).Clear();
            (_payload[2], _payload[3], _payload[4]) = ((byte)((size - 4) >> 8), (byte)(size - 4), isKey ? (byte)0x65 : (byte)0x41);
            if (_lease?.Append(kind, 0, time, 0, isKey, _payload.AsSpan(0, size), _now) is AppendResult.OutOfMemory or AppendResult.Stale)
            {
                _lease?.End(isClean: false, _now);
                _lease = null;
            }
        }

        private void Check(HlsPackager packager, HlsSnapshot snapshot)
        {
            if (!snapshot.IsPlayable)
                return;
            var (target, next) = _seen.GetValueOrDefault(packager, (snapshot.TargetSeconds, 0));
            BrokenInvariantException.ThrowIf(target != snapshot.TargetSeconds, $"TARGETDURATION was {target} and is {snapshot.TargetSeconds}");
            foreach (var view in snapshot.Renditions)
            {
                var before = view.Segments.Length > 0 ? view.Segments[0].Number - 1 : 0;
                foreach (var segment in view.Segments)
                {
                    BrokenInvariantException.ThrowIf(segment.DurationMicros >= (target * 1_000_000) + 500_000, $"segment {segment.Number} of {segment.DurationMicros} with TARGETDURATION {target}");
                    BrokenInvariantException.ThrowIf(segment.DurationMicros < 0 || !segment.IsSealed, $"segment {segment.Number} of {segment.DurationMicros} in {packager.Format} {view.Id}, which begins at {segment.BorderMicros}, {segment.StartMicros}: {string.Join(' ', view.Segments.Select(one => one.BorderMicros))}");
                    BrokenInvariantException.ThrowIf(segment.Number != before + 1, $"segment {segment.Number} after {before}");
                    before = segment.Number;
                }

                foreach (var part in view.PartsOfOpen)
                    BrokenInvariantException.ThrowIf(part.DurationMicros < 0 || part.DurationMicros > snapshot.PartTargetMicros, $"a part of {part.DurationMicros} with PART-TARGET {snapshot.PartTargetMicros}");
                next = Math.Max(next, view.NextSegment);
            }

            BrokenInvariantException.ThrowIf(next < _seen.GetValueOrDefault(packager).Next, "numbers went back");
            _seen[packager] = (target, next);
        }
    }
}
