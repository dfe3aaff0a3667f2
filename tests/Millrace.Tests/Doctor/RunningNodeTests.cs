using System.Net;
using System.Net.Sockets;
using System.Text;
using Millrace.Doctor;
using Millrace.Node.Settings;

namespace Millrace.Tests.Doctor;

/// <summary>How the doctor finds the node that runs.</summary>
public sealed class RunningNodeTests : IDisposable
{
    private readonly TcpListener _api = new(IPAddress.Loopback, 0);
    private readonly ListenEndpoint _at;
    private readonly HeldTime _time = new();

    public RunningNodeTests()
    {
        _api.Start();
        _at = new ListenEndpoint(IPAddress.Loopback, ((IPEndPoint)_api.LocalEndpoint).Port);
    }

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task A_node_that_is_slow_to_answer_is_found_as_long_as_the_doctor_waits()
    {
        var finding = FindAsync();
        using var connection = await _api.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        _time.Waits.ShouldBe([TimeSpan.FromSeconds(5)]);

        const string Body = """{"node":{"id":"a"}}""";
        await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"), TestContext.Current.CancellationToken);

        var (node, silent) = await finding;
        node.ShouldNotBeNull().Id.ShouldBe("a");
        node.Owner!.Process.ShouldBe(Environment.ProcessId);
        silent.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_listens_and_says_nothing_is_pointed_out()
    {
        var finding = FindAsync();
        using var connection = await _api.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        _time.Pass();

        var (node, silent) = await finding;
        node.ShouldBeNull();
        var check = silent.ShouldHaveSingleItem();
        (check.Result, check.Finding).ShouldBe((CheckResult.Fail, $"what listens at {_at} has not answered within 5 s"));
    }

    [Fact]
    public async Task Where_nobody_listens_nothing_is_waited_for()
    {
        _api.Stop();

        var (node, silent) = await FindAsync();
        node.ShouldBeNull();
        silent.ShouldBeEmpty();
    }

    private Task<(RunningNode? Node, IReadOnlyList<DoctorCheck> Silent)> FindAsync() =>
        RunningNode.FindAsync(new NodeSettings { Api = new ApiSettings { Listen = [_at] } }, _time, TestContext.Current.CancellationToken);

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
