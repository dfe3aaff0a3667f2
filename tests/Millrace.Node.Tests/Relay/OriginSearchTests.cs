using Millrace.Node.Relay;
using Millrace.Node.Settings;

namespace Millrace.Node.Tests.Relay;

/// <summary>When another origin is tried beside the one that serves.</summary>
public sealed class OriginSearchTests
{
    private const long Second = 1_000_000;

    private readonly OriginList _list = new(["millrace://a:1", "millrace://b:1"], 0, new OriginHealth());

    [Fact]
    public void Without_the_setting_a_stream_stays_where_it_is()
    {
        var search = Search(TimeSpan.Zero);
        _list.TryNext(0).ShouldBeTrue();
        for (var now = 0L; now < 3_600 * Second; now += Second)
        {
            search.Rest(now);
            search.At.ShouldBe(long.MaxValue);
        }
    }

    [Fact]
    public void With_it_the_first_is_tried_again_after_that_time_and_up_to_a_third_of_it()
    {
        var search = Search(TimeSpan.FromSeconds(30));
        search.Rest(0);
        search.At.ShouldBe(long.MaxValue, "it is the first that serves");
        _list.TryNext(0).ShouldBeTrue();
        search.Rest(Second);
        search.At.ShouldBeInRange(31 * Second, 41 * Second);
    }

    private OriginSearch Search(TimeSpan failback) => new(
        _list, new EdgeSettings { Failback = failback }, static () => throw new InvalidOperationException("nothing is due"), static () => false, static () => { });
}
