using System.Buffers;
using Millrace.Protocols.Relay;
using Millrace.Streams.Relay;
using Millrace.Streams.Tests.Hls;

namespace Millrace.Streams.Tests.Relay;

/// <summary>The way of units over nodes whose clocks differ, in virtual time.</summary>
public sealed class RelayHopsTests
{
    private const long Milli = 1_000;

    [Fact]
    public void Differences_of_clocks_are_summed_up_over_the_links_and_taken_out()
    {
        var rig = Rig();
        using var first = new RelayEdge(rig.Stream, "first");
        using var second = new RelayEdge(first.Stream, "second");
        var firstAhead = ClockOf(first.Stream) - ClockOf(rig.Stream);
        var secondAhead = ClockOf(second.Stream) - ClockOf(first.Stream);
        first.Live.Hops.Link = new RelayLink(firstAhead, 20 * Milli);
        second.Live.Hops.Link = new RelayLink(secondAhead - 7 * Milli, 30 * Milli);

        Run(rig, first, second);

        var hops = second.Live.Hops.Latest;
        hops.Select(hop => (hop.Node, hop.OffsetMicros, hop.RoundTripMicros)).ShouldBe(
            [("node", 0, 0), ("first", firstAhead, 20 * Milli), ("second", firstAhead + secondAhead - 7 * Milli, 30 * Milli)]);
        // Nothing takes time here; what was measured wrong is what is wrong.
        hops.Select(hop => hop.OnAuthorityClock - hops[0].OnAuthorityClock).ShouldBe([0, 0, 7 * Milli]);
    }

    [Fact]
    public void A_link_that_is_made_anew_goes_on_with_the_clocks_that_are_known()
    {
        var rig = Rig();
        using var edge = new RelayEdge(rig.Stream, "edge");
        edge.Live.Hops.Link = new RelayLink(5 * Milli, 1 * Milli);
        Run(rig, edge);

        edge.Live.Hops.Link = null;
        var before = edge.Live.Hops.Latest;
        Run(rig, edge);

        edge.Live.Hops.Latest.ShouldNotBe(before);
        edge.Live.Hops.Latest[1].OffsetMicros.ShouldBe(5 * Milli);
        edge.Live.Hops.Latest[1].RoundTripMicros.ShouldBe(1 * Milli);
    }

    [Fact]
    public void What_is_sent_to_fill_the_log_says_nothing_about_the_way()
    {
        var rig = Rig();
        rig.Source.Run(12);

        using var edge = new RelayEdge(rig.Stream, "edge");

        edge.Types.ShouldContain(RelayMessageType.Clock);
        edge.Live.Hops.Latest.ShouldBeEmpty();
        Run(rig, edge);
        edge.Live.Hops.Latest.Select(hop => hop.Node).ShouldBe(["node", "edge"]);
    }

    [Fact]
    public void Every_node_knows_who_publishes_at_the_authority()
    {
        var rig = Rig();
        using var first = new RelayEdge(rig.Stream, "first");
        using var second = new RelayEdge(first.Stream, "second");

        Run(rig, first, second);

        rig.Stream.Live.Publisher.ShouldNotBeNull();
        first.Live.Publisher.ShouldBe(rig.Stream.Live.Publisher);
        second.Live.Publisher.ShouldBe(rig.Stream.Live.Publisher);
    }

    [Fact]
    public void A_Timeline_that_has_ended_takes_its_way_with_it()
    {
        var rig = Rig();
        using var edge = new RelayEdge(rig.Stream, "edge");
        Run(rig, edge);
        edge.Live.Hops.Latest.ShouldNotBeEmpty();

        edge.Lease.Leave(grace: 0, edge.Stream.Now);

        edge.Live.Hops.Latest.ShouldBeEmpty();
        edge.Live.Publisher.ShouldBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\u001b[2J")]
    [InlineData("\u202egnp.exe")]
    public void A_name_that_is_not_one_of_a_node_is_refused_on_the_way_of_a_unit_and_of_a_stream(string name)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var output = new RelayWriter(bytes);
        output.Number(1);
        output.Text(name);
        var input = new RelayReader(bytes.WrittenSpan);
        RelayFields.TryReadPath(ref input, out _).ShouldBeFalse();

        var clock = new ArrayBufferWriter<byte>();
        new RelayHops().Write(clock, 0, hasHops: true, name, 0, new RelayedPublisher("rtmp", "192.0.2.1:1"));
        new RelayHops().TryTake(clock.WrittenSpan, isNew: true, out _).ShouldBeFalse();
    }

    [Fact]
    public void What_is_said_of_a_publisher_is_fit_for_a_log_line()
    {
        var clock = new ArrayBufferWriter<byte>();
        new RelayHops().Write(clock, 0, hasHops: true, "node", 0, new RelayedPublisher("rtmp\r\n", "192.0.2.1\u001b[2J"));
        var hops = new RelayHops();
        hops.TryTake(clock.WrittenSpan, isNew: true, out _).ShouldBeTrue();
        hops.Publisher.ShouldBe(new RelayedPublisher("rtmp??", "192.0.2.1?[2J"));
    }

    private static HlsRig Rig()
    {
        var rig = new HlsRig(new Millrace.Streams.Hls.HlsOptions());
        rig.Publish().Run(3);
        return rig;
    }

    private static void Run(HlsRig rig, params RelayEdge[] edges) => rig.Source.Run(2.5, () =>
    {
        foreach (var edge in edges)
            edge.Follow();
    });

    /// <summary>Unix time that a node shows.</summary>
    private static long ClockOf(TestStream stream) => stream.Now + stream.Live.Resources.Options.UnixOffsetMicros;
}
