using System.Net;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hostile;

/// <summary>Very many connections that say little or nothing.</summary>
public sealed class FloodTests
{
    private const int Addresses = 40;
    private const int PerAddress = 50;

    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["MILLRACE__LIMITS__CONNECTIONS_PER_IP"] = "50",
        ["MILLRACE__LIMITS__REQUEST_TIMEOUT"] = "3s",
        ["MILLRACE__RTMP__HANDSHAKE_TIMEOUT"] = "3s",
        ["MILLRACE__PUBLISH__GRACE"] = "1s",
        ["MILLRACE__SHUTDOWN__DEADLINE"] = "5s",
    };

    [Fact(Timeout = 120_000)]
    public async Task Connections_are_limited_and_idle_ones_do_not_stay()
    {
        await using var server = await MillraceServer.StartAsync("", Settings);
        await using var bystander = await Bystander.StartAsync(server);
        var clients = new List<HostileClient>();

        // One address over its limit: those beyond it are closed at once, and the log has a line a second, not one for each.
        var greedy = new IPAddress([127, 99, 0, 1]);
        for (var i = 0; i < PerAddress + 500; i++)
            clients.Add(await HostileClient.ConnectAsync(server.RtmpPort, greedy));
        await server.Process.LineAsync(line => line.Contains("refused", StringComparison.Ordinal) && line.Contains("limits.connections_per_ip", StringComparison.Ordinal), TimeSpan.FromSeconds(5));
        server.Process.Lines().Count(line => line.Contains("refused", StringComparison.Ordinal)).ShouldBeLessThan(8);
        (await clients[^1].ReadAsync(1)).ShouldBeEmpty("closed");

        // Thousands of addresses within theirs, half of them a byte into a handshake or a request.
        for (var i = 0; i < Addresses * PerAddress; i++)
        {
            var client = await HostileClient.ConnectAsync(i % 2 == 0 ? server.RtmpPort : server.HttpPort, new IPAddress([127, 99, 1, (byte)(1 + (i % Addresses))]));
            clients.Add(client);
            if (i % 4 < 2)
                await client.SendAsync((byte[])[i % 2 == 0 ? (byte)3 : (byte)'G']);
        }

        await Wait.UntilAsync(
            () => Task.FromResult(Count(server, "handshake not finished in time") >= (Addresses * PerAddress / 2) + PerAddress && Count(server, "in time") >= (Addresses * PerAddress) + PerAddress),
            TimeSpan.FromSeconds(15),
            () => $"{Count(server, "in time")} were closed\n{server.Process.Tail()}");
        clients.TakeLast(100).ShouldAllBe(client => client.ClosingLines(server).Count == 1);

        await bystander.ShouldNotHaveNoticedAsync();
        clients.ForEach(client => client.Dispose());
    }

    private static int Count(MillraceServer server, string reason) =>
        server.Process.Lines().Count(line => line.Contains(" closed: ", StringComparison.Ordinal) && line.Contains(reason + ";", StringComparison.Ordinal));
}
