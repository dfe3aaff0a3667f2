using System.Net.Sockets;
using Millrace.Node.Shards;
using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Shards;

public sealed class PatientPollTests : IDisposable
{
    private const long Token = -3;

    private readonly EventPoll _outer = new();
    private readonly TimerWheel _wheel = new(0);
    private readonly List<long> _heard = [];
    private readonly List<Socket> _sockets = [];
    private readonly PatientPoll _patient;

    public PatientPollTests() => _patient = new PatientPoll(_outer, Token, _wheel, Hear);

    [Fact]
    public void The_first_is_told_at_once_and_who_comes_while_the_poll_rests_with_the_others_at_its_end()
    {
        var (a, b, c) = (Add(1), Add(2), Add(3));
        Say(a);
        _outer.Wait(0).ShouldBe(1);
        _patient.Serve(now: 0);
        _heard.ShouldBe([1]);

        Say(b);
        Say(c);
        _outer.Wait(0).ShouldBe(0, "nobody is woken for them");
        _wheel.Advance(PatientPoll.RestMicros);
        _heard.ShouldBe([1, 2, 3], ignoreOrder: true);
    }

    [Fact]
    public void A_shard_that_is_awake_hears_them_before()
    {
        var (a, b) = (Add(1), Add(2));
        _patient.Look(now: 0);
        Say(a);
        _patient.Look(PatientPoll.LookMicros);
        _heard.ShouldBeEmpty("who speaks first is told of");
        _patient.Serve(PatientPoll.LookMicros);

        Say(b);
        _patient.Look((2 * PatientPoll.LookMicros) - 1);
        _heard.ShouldBe([1]);
        _patient.Look(2 * PatientPoll.LookMicros);
        _heard.ShouldBe([1, 2]);
    }

    [Fact]
    public void After_a_rest_in_which_nobody_spoke_the_next_is_told_at_once_again()
    {
        var a = Add(1);
        Say(a);
        _outer.Wait(0);
        _patient.Serve(now: 0);

        _wheel.Advance(PatientPoll.RestMicros);
        _wheel.Count.ShouldBe(1, "somebody spoke since the last");
        _wheel.Advance(2 * PatientPoll.RestMicros);
        _wheel.Count.ShouldBe(0, "while all are silent nothing wakes the shard");
        Say(a);

        _outer.Wait(0).ShouldBe(1);
        _patient.Serve(now: 3 * PatientPoll.RestMicros);
        _heard.ShouldBe([1, 1]);
    }

    public void Dispose()
    {
        foreach (var socket in _sockets)
            socket.Dispose();
        _patient.Dispose();
        _outer.Dispose();
    }

    private (Socket Near, Socket Far) Add(long token)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        far.Connect(listener.LocalEndPoint!);
        var near = listener.Accept();
        _sockets.AddRange([near, far]);
        _patient.TryAdd((int)near.Handle, token).ShouldBeTrue();
        return (near, far);
    }

    private static void Say((Socket Near, Socket Far) peer)
    {
        peer.Far.Send("x"u8);
        peer.Near.Poll(Wait.Deadline, SelectMode.SelectRead).ShouldBeTrue();
    }

    private void Hear(EventPoll poll, int count, long now)
    {
        var buffer = new byte[16];
        for (var i = 0; i < count; i++)
        {
            poll.Read(i, out _, out var token);
            _heard.Add(token);
            _sockets[(int)(token - 1) * 2].Receive(buffer);
        }
    }
}
