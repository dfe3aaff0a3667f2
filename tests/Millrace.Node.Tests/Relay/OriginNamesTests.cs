using System.Net;
using System.Net.Sockets;
using Millrace.Node.Relay;

namespace Millrace.Node.Tests.Relay;

/// <summary>Where the hosts of origins are, also while those are away who know it.</summary>
public sealed class OriginNamesTests
{
    private static readonly IPEndPoint[] Addresses = [new(IPAddress.Loopback, 9000)];
    private static readonly OriginAddress Origin = OriginAddress.TryParseUrl("millrace://origin.test:9000")!;

    [Fact]
    public async Task A_name_that_nobody_answers_for_has_no_address_when_the_time_is_over()
    {
        var names = new OriginNames(static (_, _) => new TaskCompletionSource<IPEndPoint[]>().Task);
        (await names.ResolveAsync(Origin, TimeSpan.Zero, TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_that_cannot_be_looked_up_any_more_has_the_address_that_it_had(bool isSilent)
    {
        var answer = new TaskCompletionSource<IPEndPoint[]>();
        var names = new OriginNames((_, _) => answer.Task);
        var first = names.ResolveAsync(Origin, TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        answer.SetResult(Addresses);
        (await first).ShouldBe(Addresses);

        answer = new TaskCompletionSource<IPEndPoint[]>();
        if (!isSilent)
            answer.SetException(new SocketException((int)SocketError.TryAgain));
        (await names.ResolveAsync(Origin, TimeSpan.Zero, TestContext.Current.CancellationToken)).ShouldBe(Addresses);
        var other = OriginAddress.TryParseUrl("millrace://another.test:9000")!;
        (await names.ResolveAsync(other, TimeSpan.Zero, TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }
}
