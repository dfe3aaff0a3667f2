using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Shards;

public sealed class AcceptorTests
{
    [Fact]
    public async Task A_connection_that_cannot_be_made_leaves_no_socket_open_and_no_place_taken()
    {
        using var rig = new ShardRig();
        var counts = new ConnectionCounts(0, 1);
        using var acceptor = new Acceptor([rig.Shard], counts, NullLogger.Instance);
        var port = acceptor.Listen(new ListenEndpoint(IPAddress.Loopback, 0), "a test", static (_, _) => throw new InvalidOperationException("a fault"));
        rig.Shard.Start();
        acceptor.Start();
        for (var faults = 1; faults <= 3; faults++)
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = (int)Wait.Deadline.TotalMilliseconds };
            client.Connect(IPAddress.Loopback, port);

            client.Receive(new byte[1]).ShouldBe(0);
            await Wait.Until(() => rig.Shard.Faults == faults, "the shard reports it");
        }

        (counts.Entered, counts.Refused, counts.Total, rig.Shard.ConnectionCount).ShouldBe((3, 0, 0, 0));
        acceptor.Stop();
    }
}
