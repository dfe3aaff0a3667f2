using Millrace.Media;
using Millrace.Media.Codecs;
using Millrace.Media.Flv;
using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Publishing;
using Millrace.Testing;

namespace Millrace.Streams.Tests;

/// <summary>One stream in virtual time, with publishers that send real configurations and numbered units.</summary>
internal sealed class TestStream
{
    public const long Frame = 40_000;

    public static readonly Config H264Config = ConfigOf(FlvTagType.Video, Codec.H264, 5);
    public static readonly Config AacConfig = ConfigOf(FlvTagType.Audio, Codec.Aac, 2);

    public TestStream(StreamOptions? options = null, long budget = 256 << 20, HlsOptions? hls = null, string node = "node")
    {
        Budget = new MemoryBudget(budget);
        var resources = new StreamResources(Pool, Budget, options ?? new StreamOptions()) { Node = node };
        Registry = new StreamRegistry(hls is null ? resources : resources with { Hls = _ => hls });
        Live = Registry.Use(Name, 0, static (stream, _) => stream);
    }

    public static StreamName Name { get; } = new("default", "live", "test");

    public PinnedBlockPool Pool { get; } = new();

    public MemoryBudget Budget { get; }

    public StreamRegistry Registry { get; }

    public LiveStream Live { get; }

    /// <summary>Monotonic time, microseconds.</summary>
    public long Now { get; set; } = 1_000_000_000;

    public Era Era => Live.Timeline.Era!;

    /// <summary>Every entry that the log holds.</summary>
    public List<LogEntry> Entries
    {
        get
        {
            var entries = new List<LogEntry>();
            for (var number = Live.Log?.First ?? 0; number < (Live.Log?.End ?? 0); number++)
                entries.Add(Live.Log![number]);
            return entries;
        }
    }

    public List<LogEntry> Units(TrackKind kind) =>
        Entries.FindAll(entry => entry.Kind == LogEntryKind.Unit && Live.Log!.EraOf(entry.EraNumber).Tracks[entry.Track].Kind == kind);

    public int EraStarts => Entries.Count(entry => entry.Kind == LogEntryKind.EraStart);

    public void Sweep() => Registry.Sweep(Now);

    public static StreamOptions KeepAll { get; } = new() { LogLimits = new LogLimits(1L << 50, 1L << 40) };

    public PublisherLease? TryPublish(DuplicatePolicy duplicate, out string? refusal, Action<string>? onRevoked = null, long grace = 10_000_000) =>
        Live.TryAcquire(new PublisherInfo("1", "rtmp", "peer", duplicate, grace), onRevoked ?? (_ => { }), Now, out refusal);

    public TestPublisher Publish(bool video = true, bool audio = true, DuplicatePolicy duplicate = DuplicatePolicy.Reject, long grace = 10_000_000, Action<string>? onRevoked = null)
    {
        var lease = TryPublish(duplicate, out var refusal, onRevoked, grace);
        refusal.ShouldBeNull();
        var publisher = new TestPublisher(this, lease!);
        if (video)
            lease!.SetConfig(0, H264Config);
        if (audio)
            lease!.SetConfig(0, AacConfig);
        return publisher;
    }

    private static Config ConfigOf(FlvTagType type, Codec codec, int head)
    {
        var body = MediaClip.Tags.First(tag => tag.Type == type).Body;
        ConfigParser.TryParse(codec, body.AsSpan(head), out var config, out _).ShouldBeTrue();
        return config!;
    }
}

/// <summary>Sends units with a sender's clock of its own.</summary>
internal sealed class TestPublisher(TestStream stream, PublisherLease lease)
{
    private static readonly byte[] Payload = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];

    /// <summary>1,024 samples at 44.1 kHz, microseconds.</summary>
    private const long AudioFrame = 23_220;

    private long _audioAt;

    public PublisherLease Lease { get; } = lease;

    /// <summary>The sender's clock, microseconds.</summary>
    public long Sender { get; set; }

    public int Count { get; private set; }

    /// <summary>How many video units make a group of pictures.</summary>
    public int Group { get; set; } = 25;

    public AppendResult Video(bool? isKey = null, long cts = 0, long offset = 0, int sourceId = 0) =>
        Lease.Append(TrackKind.Video, sourceId, Sender + offset, cts, isKey ?? Count % Group == 0, Payload, stream.Now);

    public AppendResult Audio(long offset = 0) => Lease.Append(TrackKind.Audio, 0, Sender + offset, 0, true, Payload, stream.Now);

    /// <summary>Sends frames of 40 ms, each with a picture and its audio, and lets that time pass.</summary>
    public void Run(int frames, bool video = true, bool audio = true, double speed = 1, Action? onFrame = null)
    {
        for (var i = 0; i < frames; i++)
        {
            if (video)
                Video().ShouldBe(AppendResult.Done);
            while (audio && _audioAt < TestStream.Frame)
            {
                // RTMP says milliseconds.
                Audio(_audioAt / 1_000 * 1_000).ShouldBe(AppendResult.Done);
                _audioAt += AudioFrame;
            }

            _audioAt = Math.Max(0, _audioAt - TestStream.Frame);
            Count++;
            Sender += TestStream.Frame;
            stream.Now += (long)(TestStream.Frame / speed);
            onFrame?.Invoke();
        }
    }
}
