using System.Net;
using Millrace.Node.Shards;

namespace Millrace.Node.Tests.Shards;

public sealed class ConnectionCountsTests
{
    private static readonly IPAddress First = IPAddress.Parse("192.0.2.1");

    [Fact]
    public void An_address_has_its_own_limit()
    {
        var counts = new ConnectionCounts(100, 2);

        counts.TryEnter(First).ShouldBeNull();
        counts.TryEnter(First).ShouldBeNull();
        counts.TryEnter(First).ShouldBe("limits.connections_per_ip is reached");
        counts.TryEnter(IPAddress.Parse("192.0.2.2")).ShouldBeNull();
        counts.Total.ShouldBe(3);
        counts.Refused.ShouldBe(1);
    }

    [Fact]
    public void Links_of_one_node_are_as_many_as_all_may_be_and_take_nobodys_place_of_its_address()
    {
        var counts = new ConnectionCounts(4, 1);
        for (var i = 0; i < 3; i++)
        {
            counts.TryEnter(First).ShouldBeNull();
            counts.TryEnter(First).ShouldBe("limits.connections_per_ip is reached", "it has proved nothing yet");
            counts.BecomeLink(First);
        }

        counts.TryEnter(First).ShouldBeNull();
        counts.TryEnter(First).ShouldBe("limits.connections is reached");
        counts.Leave(First, isLink: true);
        counts.Total.ShouldBe(3);
        counts.TryEnter(First).ShouldBe("limits.connections_per_ip is reached");
    }

    [Fact]
    public void All_together_have_a_limit()
    {
        var counts = new ConnectionCounts(2, 0);

        counts.TryEnter(First).ShouldBeNull();
        counts.TryEnter(First).ShouldBeNull();
        counts.TryEnter(IPAddress.Parse("192.0.2.2")).ShouldBe("limits.connections is reached");
    }

    [Fact]
    public void A_place_that_is_given_back_can_be_taken_again()
    {
        var counts = new ConnectionCounts(100, 1);
        for (var i = 0; i < 10; i++)
        {
            counts.TryEnter(First).ShouldBeNull();
            counts.TryEnter(First).ShouldNotBeNull();
            counts.Leave(First);
        }

        counts.Leave(First);
        counts.Total.ShouldBe(0);
    }

    [Fact]
    public void One_subscriber_of_IPv6_is_a_64()
    {
        var counts = new ConnectionCounts(100, 1);

        counts.TryEnter(IPAddress.Parse("2001:db8:0:1::1")).ShouldBeNull();
        counts.TryEnter(IPAddress.Parse("2001:db8:0:1:ffff::2")).ShouldNotBeNull();
        counts.TryEnter(IPAddress.Parse("2001:db8:0:2::1")).ShouldBeNull();
    }

    [Fact]
    public void IPv4_mapped_into_IPv6_is_IPv4()
    {
        var counts = new ConnectionCounts(100, 1);

        counts.TryEnter(First).ShouldBeNull();
        counts.TryEnter(First.MapToIPv6()).ShouldNotBeNull();
        counts.Leave(First.MapToIPv6());
        counts.Total.ShouldBe(0);
    }

    [Fact]
    public void Zero_is_no_limit()
    {
        var counts = new ConnectionCounts(0, 0);
        for (var i = 0; i < 1_000; i++)
            counts.TryEnter(First).ShouldBeNull();

        counts.Total.ShouldBe(1_000);
    }
}
