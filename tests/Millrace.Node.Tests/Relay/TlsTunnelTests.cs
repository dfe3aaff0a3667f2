using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Relay;

/// <summary>What goes through a tunnel, and how it ends. Both sides are real, over loopback.</summary>
public sealed class TlsTunnelTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TunnelRig _rig;

    public TlsTunnelTests() =>
        _rig = new TunnelRig(TunnelRig.Settings(_authority, _authority.Sign("edge")), TunnelRig.Settings(_authority, _authority.Sign("origin"), requires: true));

    public void Dispose()
    {
        _rig.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task Bytes_arrive_whole_both_ways_at_once()
    {
        var (client, server) = await _rig.ConnectAsync();
        var (up, down) = (RandomNumberGenerator.GetBytes(5_000_000), RandomNumberGenerator.GetBytes(3_000_000));
        var sending = Task.WhenAll(SendAsync(client, up), SendAsync(server, down));
        var received = await Task.WhenAll(Task.Run(server.ReadToEnd), Task.Run(client.ReadToEnd));
        await sending;

        received[0].AsSpan().SequenceEqual(up).ShouldBeTrue();
        received[1].AsSpan().SequenceEqual(down).ShouldBeTrue();
        (client.Fault, server.Fault).ShouldBe((null, null));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_side_says_last_arrives_before_its_end(bool isServer)
    {
        var (one, other) = await _rig.ConnectAsync();
        if (isServer)
            (one, other) = (other, one);
        var last = RandomNumberGenerator.GetBytes(150_000);
        one.Socket.Send(last);
        one.Close();

        other.ReadToEnd().AsSpan().SequenceEqual(last).ShouldBeTrue();
        other.Fault.ShouldBeNull();
        other.Close();
        await GoneAsync();
    }

    [Fact]
    public async Task A_side_that_has_said_all_still_hears_the_answer()
    {
        var (client, server) = await _rig.ConnectAsync();
        client.Socket.Send("goodbye"u8);
        client.Socket.Shutdown(SocketShutdown.Send);
        server.ReadToEnd().ShouldBe("goodbye"u8.ToArray());
        server.Socket.Send("refused"u8);
        server.Close();

        client.ReadToEnd().ShouldBe("refused"u8.ToArray());
        client.Close();
        await GoneAsync();
    }

    [Fact]
    public async Task A_side_that_ends_while_much_comes_in_harms_nothing()
    {
        var bytes = RandomNumberGenerator.GetBytes(400_000);
        for (var round = 0; round < 40; round++)
        {
            var (client, server) = await _rig.ConnectAsync();
            var sending = SendAsync(client, bytes);
            var receiving = Task.Run(server.ReadToEnd);
            await Wait.Until(() => server.Socket.Available > 0 || receiving.IsCompleted, "it comes in");
            server.Socket.Shutdown(SocketShutdown.Send);
            await sending;
            (await receiving).AsSpan().SequenceEqual(bytes).ShouldBeTrue();
            client.ReadToEnd().ShouldBeEmpty();
            client.Close();
            server.Close();
        }

        await GoneAsync();
    }

    [Fact]
    public async Task A_peer_that_takes_nothing_does_not_hold_the_tunnel_when_the_shard_has_let_go()
    {
        var (client, server) = await _rig.ConnectAsync();
        client.Socket.Blocking = false;
        var block = new byte[65_536];
        // Until neither the pair of sockets nor TCP takes any more.
        await Wait.Until(() => !TrySend(client.Socket, block), "it is full");

        client.Close();
        await Wait.Until(() => _rig.Client.Count == 0, "the tunnel has gone");
        server.Close();
        await GoneAsync();
    }

    [Theory]
    [InlineData(true, "Connection reset by peer")]
    [InlineData(false, null)]
    public async Task A_peer_that_is_killed_is_noticed_at_once_and_what_it_said_is_heard(bool isReset, string? fault)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var end = _rig.Open(((IPEndPoint)listener.LocalEndpoint).Port);
        using var accepted = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        using var certificate = X509Certificate2.CreateFromPemFile(_authority.File("origin.pem"), _authority.File("origin.key"));
        var secure = new SslStream(accepted.GetStream(), leaveInnerStreamOpen: true);
        await secure.AuthenticateAsServerAsync(certificate);
        await secure.WriteAsync("said"u8.ToArray(), TestContext.Current.CancellationToken);
        end.Socket.Receive(new byte[10]).ShouldBe(4);
        // Without a word of TLS: as a kernel does it for a process that has gone.
        if (isReset)
            accepted.Client.LingerState = new LingerOption(true, 0);
        accepted.Client.Close();

        end.ReadToEnd().ShouldBeEmpty();
        end.Fault.ShouldBe(fault);
    }

    [Fact]
    public async Task Packets_need_no_buffers_of_their_own_in_steady_state()
    {
        const int Packets = 5_000;
        var (client, server) = await _rig.ConnectAsync();
        var packet = new byte[1_300];
        Echo(Packets);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Echo(Packets);
        var perPacket = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Packets;

        // Some come of whatever else the process does; a buffer for each packet would be thousands.
        perPacket.ShouldBeLessThan(200);

        void Echo(int count)
        {
            for (var i = 0; i < count; i++)
            {
                client.Socket.Send(packet);
                for (var received = 0; received < packet.Length;)
                    received += server.Socket.Receive(packet);
            }
        }
    }

    [Fact]
    public async Task Tunnels_end_with_their_node_when_its_shards_have()
    {
        var (client, server) = await _rig.ConnectAsync();
        var stopping = _rig.Client.StopAsync();
        client.Socket.Send("the node is shutting down"u8);
        stopping.IsCompleted.ShouldBeFalse("its shard has yet to close it");
        client.Close();

        server.ReadToEnd().ShouldBe("the node is shutting down"u8.ToArray());
        server.Close();
        await stopping.WaitAsync(Wait.Deadline, TestContext.Current.CancellationToken);
    }

    private static bool TrySend(Socket socket, byte[] block)
    {
        try
        {
            return socket.Send(block) > 0;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            return false;
        }
    }

    private static Task SendAsync(ShardEnd end, byte[] bytes) => Task.Run(() =>
    {
        end.Socket.Send(bytes);
        end.Socket.Shutdown(SocketShutdown.Send);
    });

    private Task GoneAsync() => Wait.Until(() => _rig.Client.Count == 0 && _rig.Server.Count == 0, "both tunnels have gone");
}
