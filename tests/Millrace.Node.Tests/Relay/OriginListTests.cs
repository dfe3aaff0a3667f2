using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>Which origin comes next, by what has become of them.</summary>
public sealed class OriginListTests
{
    private const long Second = 1_000_000;

    private readonly OriginHealth _health = new();

    [Fact]
    public void Origins_are_tried_in_their_order_each_once_in_a_round()
    {
        var list = List("a:1", "b:1", "c:1");
        HostsOfRound(list, 0).ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public void One_that_cannot_be_reached_is_left_out_by_all_streams_and_longer_with_each_time()
    {
        var (one, other) = (List("a:1", "b:1"), List("a:1", "b:1"));
        one.Fail(0);
        other.Begin(1 * Second);
        other.Current.Host.ShouldBe("b");

        // A third of the 3 s is chance.
        HostsOfRound(List("a:1", "b:1"), 3 * Second).ShouldBe(["a", "b"]);
        one.Fail(3 * Second);
        HostsOfRound(List("a:1", "b:1"), 6 * Second).ShouldBe(["b"]);
        HostsOfRound(List("a:1", "b:1"), 9 * Second).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void Many_streams_that_lose_an_origin_together_have_seen_one_failure()
    {
        for (var i = 0; i < 1_000; i++)
            List("a:1", "b:1").Fail(i);
        HostsOfRound(List("a:1", "b:1"), 3 * Second + 1_000).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void One_that_answers_again_is_known_as_well_at_once()
    {
        var list = List("a:1", "b:1");
        list.Fail(0);
        list.Succeed();
        HostsOfRound(List("a:1", "b:1"), 1).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void What_fails_with_one_stream_is_not_held_against_the_origin_by_others()
    {
        var list = List("a:1", "b:1");
        list.LeaveOut(0);
        HostsOfRound(list, Second).ShouldBe(["b"]);
        HostsOfRound(List("a:1", "b:1"), Second).ShouldBe(["a", "b"]);
        HostsOfRound(list, 4 * Second).ShouldBe(["a", "b"], ignoreOrder: true);
    }

    [Fact]
    public void When_all_are_left_out_all_are_tried()
    {
        var list = List("a:1", "b:1");
        list.Fail(0);
        list.TryNext(0).ShouldBeTrue();
        list.Fail(0);
        HostsOfRound(list, 1).ShouldBe(["a", "b"], ignoreOrder: true);
    }

    [Fact]
    public void Those_that_are_left_out_are_tried_before_the_one_that_has_just_failed()
    {
        var list = List("a:1", "b:1", "c:1");
        list.LeaveOut(0);
        list.TryNext(0).ShouldBeTrue();
        list.Keep();
        list.Current.Host.ShouldBe("b");

        list.LeaveOut(Second);
        list.TryNext(Second).ShouldBeTrue();
        list.Current.Host.ShouldBe("c");
        list.Fail(Second);
        list.TryNext(Second).ShouldBeFalse("the first has failed a second ago");
        list.TryLeftOut().ShouldBeTrue();
        list.Current.Host.ShouldBe("a");

        list.LeaveOut(Second);
        list.TryNext(Second).ShouldBeFalse();
        list.TryLeftOut().ShouldBeFalse("each has been tried once");
        list.NextRound(Second);
        list.Current.Host.ShouldBe("b", "the next round goes on where this one began");
        list.TryNext(Second).ShouldBeTrue("none is left out in it");
    }

    [Fact]
    public void What_the_map_names_comes_first_and_goes_with_its_word()
    {
        var list = List("a:1", "b:1");
        list.Prefer("millrace://m:1/default/live/x", 0);
        HostsOfRound(list, 0).ShouldBe(["m", "a", "b"]);
        list.Prefer(null, 0);
        HostsOfRound(list, 0).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void What_the_map_names_is_passed_over_as_well_when_it_has_failed()
    {
        var list = List("a:1", "b:1");
        list.Prefer("millrace://m:1/default/live/x", 0);
        list.Fail(0);
        list.Prefer("millrace://m:1/default/live/x", 1);
        list.Current.Host.ShouldBe("a");
        list.TryNext(1).ShouldBeTrue();
        list.Current.Host.ShouldBe("b");
    }

    [Fact]
    public void Where_the_order_begins_is_not_lost_by_a_word_of_the_map()
    {
        var list = new OriginList(["millrace://a:1", "millrace://b:1", "millrace://c:1"], 1, _health);
        list.Prefer("millrace://m:1/default/live/x", 0);
        HostsOfRound(list, 0).ShouldBe(["m", "b", "c", "a"]);
        list.Prefer(null, 0);
        HostsOfRound(list, 0).ShouldBe(["b", "c", "a"]);
        list.Preferred.Host.ShouldBe("b");
    }

    [Fact]
    public void When_none_was_of_use_none_is_left_out_until_one_serves()
    {
        var list = List("a:1", "b:1");
        list.Fail(0);
        list.LeaveNoneOut();
        list.IsLeftOut(list.Current, 1).ShouldBeFalse();
        list.TryNext(1).ShouldBeTrue();
        list.Keep();
        list.Beside(0, 1).ShouldBeNull("the other has failed");
    }

    [Fact]
    public void Beside_the_one_that_serves_stand_those_that_have_not_failed()
    {
        var list = List("a:1", "b:1", "c:1");
        _health.Fail(List("b:1").Current, 0);
        list.Beside(0, 1)!.Host.ShouldBe("c");
        list.Beside(1, 1)!.Host.ShouldBe("c");
        List("a:1").Beside(0, 1).ShouldBeNull();
    }

    [Fact]
    public void Streams_begin_at_the_first_origin() => HostsOfStreams(OriginChoice.Ordered).ShouldBe(["a", "a", "a"]);

    [Fact]
    public void Streams_begin_at_one_origin_after_the_other() => HostsOfStreams(OriginChoice.RoundRobin).ShouldBe(["a", "b", "a"]);

    [Fact]
    public void By_hash_a_stream_begins_at_the_same_origin_on_every_node()
    {
        var names = Enumerable.Range(0, 64).Select(static number => new StreamName("default", "live", $"x{number}")).ToList();
        var (one, other) = (new Origins(Settings(OriginChoice.Hash)), new Origins(Settings(OriginChoice.Hash)));
        var hosts = names.ConvertAll(name => one.Of(name).Current.Host);
        names.ConvertAll(name => other.Of(name).Current.Host).ShouldBe(hosts);
        hosts.Distinct().Count().ShouldBe(2);
    }

    private static List<string> HostsOfStreams(OriginChoice choice)
    {
        var origins = new Origins(Settings(choice));
        return [.. Enumerable.Range(0, 3).Select(number => origins.Of(new StreamName("default", "live", $"x{number}")).Current.Host)];
    }

    private static NodeSettings Settings(OriginChoice choice) => new()
    {
        Edge = new EdgeSettings { Failover = choice },
        Vhosts = [new VhostSettings { Name = VhostSettings.DefaultName, Mode = VhostMode.Remote, Origin = ["millrace://a:1", "millrace://b:1"] }],
    };

    private static List<string> HostsOfRound(OriginList list, long now)
    {
        list.Begin(now);
        var hosts = new List<string>();
        do
            hosts.Add(list.Current.Host);
        while (list.TryNext(now));
        return hosts;
    }

    private OriginList List(params string[] origins) => new([.. origins.Select(static origin => $"millrace://{origin}")], 0, _health);
}
