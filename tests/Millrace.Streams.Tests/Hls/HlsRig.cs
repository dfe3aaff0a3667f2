using Millrace.Streams.Hls;
using Millrace.Streams.Publishing;

namespace Millrace.Streams.Tests.Hls;

/// <summary>A stream with a publisher and HLS, in virtual time; every snapshot of what is watched is checked.</summary>
internal sealed class HlsRig
{
    public static readonly RenditionId Video = new(Media.TrackKind.Video, 0);
    public static readonly RenditionId Audio = new(Media.TrackKind.Audio, 0);

    public HlsRig(HlsOptions? options = null, long budget = 256 << 20)
    {
        // Nobody asks in these tests but once: packaging goes on.
        Options = options ?? new HlsOptions();
        if (Options.IdleMicros == new HlsOptions().IdleMicros)
            Options = Options with { IdleMicros = 3_600_000_000 };
        Stream = new TestStream(new StreamOptions { UnixOffsetMicros = 1_700_000_000_000_000 }, budget, Options);
    }

    /// <summary>On a stream that there is.</summary>
    public HlsRig(TestStream stream) => (Stream, Options) = (stream, stream.Live.Hls);

    public HlsOptions Options { get; }

    public TestStream Stream { get; }

    /// <summary>The publisher of <see cref="Publish"/> that came last.</summary>
    public MediaSource Source { get; private set; } = null!;

    public LiveStream Live => Stream.Live;

    public MediaSource Publish(Func<PublisherLease, MediaSource>? make = null, long grace = 10_000_000, DuplicatePolicy duplicate = DuplicatePolicy.Reject)
    {
        var lease = Stream.TryPublish(duplicate, out var refusal, grace: grace);
        refusal.ShouldBeNull();
        Source = make?.Invoke(lease!) ?? new MediaSource(Stream, lease!);
        Source.Announce();
        return Source;
    }

    /// <summary>Asks for the playlist as a viewer does.</summary>
    public HlsPackager Use(HlsFormat format = HlsFormat.LowLatency)
    {
        var packager = Live.UseHls(format, Stream.Now, out var unsupported);
        unsupported.ShouldBeNull();
        return packager.ShouldNotBeNull();
    }

    /// <summary>From now on every snapshot is checked.</summary>
    public PlaylistChecker Watch(HlsFormat format = HlsFormat.LowLatency) => new(Use(format), () => Stream.Now);

    /// <summary>Lets time pass without media, sweeping each second as a node does.</summary>
    public void Idle(double seconds)
    {
        for (; seconds > 0; seconds -= 1)
        {
            Stream.Now += (long)(Math.Min(1, seconds) * 1_000_000);
            Stream.Sweep();
        }
    }
}
