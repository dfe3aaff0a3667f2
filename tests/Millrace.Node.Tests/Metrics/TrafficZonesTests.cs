using Millrace.Node.Metrics;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Tests.Metrics;

public sealed class TrafficZonesTests
{
    private static readonly NodeSettings Settings = new()
    {
        Vhosts = [new VhostSettings { Name = "default" }, new VhostSettings { Name = "b.example", Aliases = ["*.b.example"] }],
    };

    private readonly TrafficZones _zones = new(Settings);

    [Fact]
    public void An_app_has_a_zone_when_something_was_published_there()
    {
        _zones.Admit(Name("live"));
        _zones.Count(Name("live"), TrafficFormat.Flv, 200, 10, 20, 30);
        _zones.Count(Name("live"), TrafficFormat.Flv, 404, 1, 2, 3);
        _zones.AddBytes(Name("live"), TrafficFormat.Rtmp, 1_000, 0);
        _zones.Count(Name("invented"), TrafficFormat.Flv, 404, 0, 0, 0);
        _zones.Count("default", TrafficFormat.Page, 500, 0, 7, 0);

        _zones.Read().ShouldBe(
        [
            new TrafficRow("default", "", TrafficFormat.Page, new TrafficTotals(0, 0, 0, 0, 1, 0, 7, 0)),
            new TrafficRow("default", "live", TrafficFormat.Flv, new TrafficTotals(0, 1, 0, 1, 0, 11, 22, 33)),
            new TrafficRow("default", "live", TrafficFormat.Rtmp, new TrafficTotals(0, 0, 0, 0, 0, 1_000, 0, 0)),
            new TrafficRow("default", "other", TrafficFormat.Flv, new TrafficTotals(0, 0, 0, 1, 0, 0, 0, 0)),
        ]);
    }

    [Fact]
    public void Apps_beyond_the_limit_share_a_zone()
    {
        for (var i = 0; i < 2 * TrafficZones.MaxApps; i++)
        {
            _zones.Admit(Name($"app{i}"));
            _zones.Admit(Name($"app{i}"));
            _zones.Count(Name($"app{i}"), TrafficFormat.Flv, 200, 0, 0, 0);
        }

        var rows = _zones.Read();
        rows.Count.ShouldBe(TrafficZones.MaxApps + 1);
        rows[^1].ShouldBe(new TrafficRow("default", "other", TrafficFormat.Flv, new TrafficTotals(0, TrafficZones.MaxApps, 0, 0, 0, 0, 0, 0)));
    }

    [Fact]
    public void An_app_that_is_called_like_the_rest_is_part_of_it()
    {
        _zones.Admit(Name(TrafficZones.Other));
        _zones.Count(Name(TrafficZones.Other), TrafficFormat.Flv, 200, 0, 0, 0);
        _zones.Count(Name("invented"), TrafficFormat.Flv, 200, 0, 0, 0);

        _zones.Read().ShouldHaveSingleItem().Totals.Success.ShouldBe(2);
    }

    [Theory]
    [InlineData("b.example", "b.example")]
    [InlineData("x.b.example", "b.example")]
    [InlineData("x.b.example:8080", "b.example")]
    [InlineData("invented.example", "default")]
    public void Only_configured_vhosts_are_told_apart(string host, string vhost)
    {
        _zones.Count(StreamAddress.VhostOf(Settings, host), TrafficFormat.Page, 200, 0, 0, 0);

        _zones.Read().ShouldHaveSingleItem().Vhost.ShouldBe(vhost);
    }

    [Theory]
    [InlineData(101)]
    [InlineData(204)]
    [InlineData(302)]
    [InlineData(499)]
    [InlineData(503)]
    public void Answers_are_counted_by_class(int status)
    {
        _zones.Count("default", TrafficFormat.Page, status, 0, 0, 0);

        var totals = _zones.Read().Single().Totals;
        long[] classes = [totals.Informational, totals.Success, totals.Redirection, totals.ClientError, totals.ServerError];
        classes.ShouldBe(Enumerable.Range(1, 5).Select(i => i == status / 100 ? 1L : 0L));
    }

    [Fact]
    public void Counting_loses_nothing_among_threads_and_allocates_nothing()
    {
        var name = Name("live");
        _zones.Admit(name);
        _zones.Count(name, TrafficFormat.Flv, 200, 1, 1, 1);
        var allocated = new long[4];
        var threads = Enumerable.Range(0, allocated.Length).Select(number => new Thread(() =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 50_000; i++)
                _zones.Count(name, TrafficFormat.Flv, 200, 1, 1, 1);
            allocated[number] = GC.GetAllocatedBytesForCurrentThread() - before;
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        _zones.Read().Single().Totals.ShouldBe(new TrafficTotals(0, 200_001, 0, 0, 0, 200_001, 200_001, 200_001));
        allocated.ShouldAllBe(bytes => bytes == 0);
    }

    private static StreamName Name(string app) => new("default", app, "x");
}
