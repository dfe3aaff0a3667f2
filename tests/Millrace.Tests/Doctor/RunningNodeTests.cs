using System.Net;
using System.Net.Sockets;
using System.Text;
using Millrace.Doctor;
using Millrace.Node.Settings;
using Millrace.Node.Tests.Harness;

namespace Millrace.Tests.Doctor;

/// <summary>How the doctor finds the node that runs, and what it says of one that does not answer.</summary>
public sealed class RunningNodeTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(15);

    private readonly TcpListener _api = new(IPAddress.Loopback, TestPorts.Free());
    private readonly NodeSettings _settings;
    private readonly ListenEndpoint _at;
    private readonly HeldTime _time = new();

    public RunningNodeTests()
    {
        _at = new ListenEndpoint(IPAddress.Loopback, ((IPEndPoint)_api.LocalEndpoint).Port);
        _settings = new NodeSettings
        {
            Rtmp = new RtmpSettings { Listen = [] },
            Http = new HttpSettings { Listen = [] },
            Relay = new RelaySettings { Listen = [] },
            Api = new ApiSettings { Listen = [_at] },
        };
    }

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task A_node_that_is_slow_to_answer_is_found_as_long_as_the_doctor_waits()
    {
        _api.Start();
        var finding = FindAsync();
        using var connection = await AcceptAsync();
        _time.Waits.ShouldBe([TimeSpan.FromSeconds(5)]);

        const string Body = """{"node":{"id":"a"}}""";
        await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"), TestContext.Current.CancellationToken);

        var node = (await finding.WaitAsync(Soon, TestContext.Current.CancellationToken)).ShouldNotBeNull();
        node.Id.ShouldBe("a");
        node.Owner!.Process.ShouldBe(Environment.ProcessId);
        var check = ListenerChecks.Run(_settings, node).ShouldHaveSingleItem();
        (check.Name, check.Result, check.Finding).ShouldBe(("api.listen[0]", CheckResult.Ok, $"{_at} belongs to the running node a, {node.Owner}"));
    }

    [Fact]
    public async Task What_listens_and_says_nothing_may_be_the_node_and_is_pointed_out()
    {
        _api.Start();
        var finding = FindAsync();
        using var connection = await AcceptAsync();
        _time.Pass();

        var node = (await finding.WaitAsync(Soon, TestContext.Current.CancellationToken)).ShouldNotBeNull();
        node.Id.ShouldBeNull();
        var check = ListenerChecks.Run(_settings, node).ShouldHaveSingleItem();
        (check.Name, check.Result, check.Finding).ShouldBe(("api.listen[0]", CheckResult.Fail, $"{_at} is taken by {node.Owner}, which has not answered at {_at} within 5 s"));
        check.Advice!.ShouldStartWith("if it is the node of these settings, it hangs or has far too much to do");
    }

    [Fact]
    public async Task Where_nobody_listens_nothing_is_waited_for() =>
        (await FindAsync().WaitAsync(Soon, TestContext.Current.CancellationToken)).ShouldBeNull();

    private Task<RunningNode?> FindAsync() => RunningNode.FindAsync(_settings, _time, TestContext.Current.CancellationToken);

    private Task<TcpClient> AcceptAsync() => _api.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Soon, TestContext.Current.CancellationToken);

    /// <summary>Passes when it is told to.</summary>
    private sealed class HeldTime : TimeProvider
    {
        private readonly List<HeldTimer> _timers = [];

        public IEnumerable<TimeSpan> Waits => _timers.Select(static timer => timer.Due);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new HeldTimer(dueTime, () => callback(state));
            _timers.Add(timer);
            return timer;
        }

        public void Pass() => _timers.ForEach(static timer => timer.Fire());
    }

    private sealed class HeldTimer(TimeSpan due, Action fire) : ITimer
    {
        public TimeSpan Due => due;

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
