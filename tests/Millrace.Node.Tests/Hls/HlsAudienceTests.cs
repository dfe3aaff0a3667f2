using Millrace.Node.Hls;
using Millrace.Node.Metrics;
using Millrace.Streams;

namespace Millrace.Node.Tests.Hls;

/// <summary>Who watches, in virtual time.</summary>
public sealed class HlsAudienceTests
{
    private static readonly StreamName Name = new("default", "live", "x");

    private readonly HlsAudience _audience = new();

    [Fact]
    public void Viewers_beyond_the_limit_are_not_counted_and_those_who_are_stay()
    {
        for (var viewer = 0; viewer < HlsAudience.MaxViewers + 10; viewer++)
            Note(viewer, 0);
        Count.ShouldBe(HlsAudience.MaxViewers);

        Note(7, 1);
        _audience.Sweep(HlsAudience.PresentMicros + 1);

        Count.ShouldBe(1);
        Note(HlsAudience.MaxViewers + 1, HlsAudience.PresentMicros + 1);
        Count.ShouldBe(2);
    }

    [Fact]
    public void One_viewer_is_counted_once_by_however_many_shards_it_is_noted()
    {
        Parallel.For(0, 40_000, i => Note(i % 100, i));
        Count.ShouldBe(100);

        _audience.Sweep(2 * HlsAudience.PresentMicros);

        Count.ShouldBe(0);
        _audience.Count(TrafficFormat.LlHls).ShouldBe(0);
    }

    [Fact]
    public void Noting_and_forgetting_at_once_loses_no_place()
    {
        Parallel.For(0, 40_000, i =>
        {
            Note(i % 50, i * HlsAudience.PresentMicros);
            if (i % 10 == 0)
                _audience.Sweep(i * HlsAudience.PresentMicros);
        });
        _audience.Sweep(long.MaxValue);
        Count.ShouldBe(0);
        for (var viewer = 0; viewer < HlsAudience.MaxViewers; viewer++)
            Note(viewer, 0);

        Count.ShouldBe(HlsAudience.MaxViewers);
    }

    private int Count => _audience.Count(Name, TrafficFormat.LlHls);

    private void Note(int viewer, long now) => _audience.Note(Name, TrafficFormat.LlHls, viewer, now);
}
