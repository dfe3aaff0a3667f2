using Millrace.Node.Cluster;

namespace Millrace.Node.Tests.Cluster;

public sealed class LastKnownOriginsTests
{
    [Fact]
    public void It_is_bounded_and_what_is_used_stays()
    {
        var known = new LastKnownOrigins(100, TimeProvider.System);
        known.Set(MapRig.Name("used"), "rtmp://a.example/live/used");
        for (var i = 0; i < 10_000; i++)
        {
            known.Set(MapRig.Name($"{i}"), $"rtmp://a.example/live/{i}");
            known.Count.ShouldBeLessThanOrEqualTo(100);
            if (i % 20 == 0)
                known.TryGet(MapRig.Name("used"), out _, out _).ShouldBeTrue();
        }

        known.TryGet(MapRig.Name("9999"), out var url, out _).ShouldBeTrue();
        url.ShouldBe("rtmp://a.example/live/9999");
        known.TryGet(MapRig.Name("0"), out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void Each_value_has_the_age_of_its_last_confirmation()
    {
        var clock = new Clock();
        var known = new LastKnownOrigins(100, clock);
        known.Set(MapRig.Name("x"), "rtmp://a.example/live/x");
        clock.Seconds = 7;
        AgeOf("x").ShouldBe(7);

        known.Set(MapRig.Name("x"), "rtmp://b.example/live/x");
        clock.Seconds = 9;
        AgeOf("x").ShouldBe(2);

        known.Remove(MapRig.Name("x"));
        known.TryGet(MapRig.Name("x"), out _, out _).ShouldBeFalse();

        double AgeOf(string name)
        {
            known.TryGet(MapRig.Name(name), out _, out var age).ShouldBeTrue();
            return age.TotalSeconds;
        }
    }

    private sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
