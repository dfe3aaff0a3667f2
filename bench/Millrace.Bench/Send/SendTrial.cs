using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Millrace.Bench.Measure;
using Millrace.Bench.Native;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Send;

/// <summary>One variant at one case: its receivers, its connections and the measured window. The loop is the derived class's.</summary>
internal abstract class SendTrial : IDisposable
{
    private const int ConnectSeconds = 20;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Socket _listener;
    private readonly List<Outlet> _outlets = [];
    private SendSource? _source;
    private SendPath? _path;
    private ChildProcess? _sinks;
    private Sample? _before;
    private Sample? _after;

    protected SendTrial(SendPlan plan, SendCase sendCase, SendVariant variant, Socket listener) =>
        (Plan, Case, Variant, _listener) = (plan, sendCase, variant, listener);

    protected SendPlan Plan { get; }
    protected SendCase Case { get; }
    protected SendVariant Variant { get; }
    protected SendSource Source => _source!;
    protected EpollSet Epoll { get; } = new();
    protected SendPath Path => _path!;
    protected IReadOnlyList<Outlet> Outlets => _outlets;
    protected double Now => _clock.Elapsed.TotalSeconds;

    /// <summary>Bytes that a stream gave to each connection so far; null = as many as the loop closes.</summary>
    protected virtual long? Offered => null;

    /// <exception cref="Win32Exception">The kernel does not allow this way of sending.</exception>
    /// <exception cref="InvalidOperationException">It does not work, or a connection failed.</exception>
    public TrialReport Run()
    {
        Start();
        Loop();
        var (before, after) = (_before!, _after!);
        long offered = (after.Offered - before.Offered) * _outlets.Count;
        return new TrialReport
        {
            Gbit = (after.Bytes - before.Bytes) * 8 / 1e9,
            OfferedGbit = offered * 8 / 1e9,
            Seconds = after.Time - before.Time,
            UserCpu = after.User - before.User,
            SystemCpu = after.System - before.System,
            CoreBusy = after.CoreBusy - before.CoreBusy,
            LoadCpu = after.LoadCpu - before.LoadCpu,
            Calls = after.Calls - before.Calls,
            Partials = after.Partials - before.Partials,
            Completions = Path.Completions,
            CopiedCompletions = Path.CopiedCompletions,
            Fault = EndSinks(),
        };
    }

    public void Dispose()
    {
        _path?.Dispose();
        foreach (var outlet in _outlets) _ = Libc.close(outlet.Fd);
        _sinks?.Dispose();
        Epoll.Dispose();
        _source?.Dispose();
    }

    protected abstract void Loop();

    protected void BeginWindow() => _before = Take();

    protected void EndWindow() => _after = Take();

    /// <summary>Handles what epoll has to say; <paramref name="asked"/> gets those that asked for an object.</summary>
    protected void Poll(int timeoutMilliseconds, Action<Outlet>? asked)
    {
        int count = Epoll.Wait(Variant.Spins ? 0 : timeoutMilliseconds);
        for (int i = 0; i < count; i++)
        {
            var (tag, events) = Epoll.Get(i);
            var outlet = _outlets[tag];
            if ((events & EpollSet.Error) != 0) Path.OnError(outlet);
            if ((events & EpollSet.In) != 0 && asked is not null) asked(outlet);
            if ((events & EpollSet.Out) == 0 || !outlet.IsBlocked) continue;
            outlet.IsBlocked = false;
            Epoll.Modify(outlet.Fd, tag, EpollSet.In);
            if (outlet.HasBytes) Path.Send(outlet);
        }

        Path.Flush();
    }

    private void Start()
    {
        _source = new SendSource(Variant.Memory);
        _sinks = ChildProcess.StartSelf(Plan.LoadCore, Plan.SinkArguments(Case), keepOutput: true);
        Accept((int)_listener.Handle, Plan.ConnectionsOf(Case));
        foreach (var outlet in _outlets)
        {
            outlet.Configure(Variant);
            Epoll.Add(outlet.Fd, outlet.Index, EpollSet.In);
        }

        _path = SendPath.Create(Variant, Source, Epoll, _outlets);
    }

    private unsafe void Accept(int listener, int connections)
    {
        double limit = Now + ConnectSeconds;
        while (_outlets.Count < connections)
        {
            int fd = Libc.accept4(listener, null, null, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
            if (fd >= 0)
            {
                _outlets.Add(new Outlet(fd, _outlets.Count));
                continue;
            }

            if (Marshal.GetLastPInvokeError() != Libc.EAGAIN) throw new Win32Exception();
            if (_sinks!.Exited || Now > limit) throw new InvalidOperationException($"the receivers did not connect: {_sinks.Errors}");
            Thread.Sleep(1);
        }
    }

    /// <summary>Ends all connections and compares what the receivers got with what the kernel took, to the byte. Null = equal.</summary>
    private string? EndSinks()
    {
        foreach (var outlet in _outlets) _ = Libc.shutdown(outlet.Fd, Libc.SHUT_WR);
        string output = _sinks!.ReadOutput();
        if (!long.TryParse(output, CultureInfo.InvariantCulture, out long received)) return $"the receivers failed: {_sinks.Errors}";
        return received == Path.Bytes ? null : $"{Path.Bytes} bytes were sent and {received} received";
    }

    private Sample Take()
    {
        // The thread's, not the process's: the runtime compiles on another one while the first rounds run.
        _ = Libc.getrusage(Libc.RUSAGE_THREAD, out var cpu);
        return new Sample(
            Now, Path.Bytes, Offered ?? 0, cpu.UserSeconds + (cpu.UserMicros / 1e6), cpu.SystemSeconds + (cpu.SystemMicros / 1e6), ProcessProbe.CoreBusySeconds(Plan.ServerCore),
            new ProcessProbe(_sinks!.Id).CpuSeconds(), Path.Calls, Path.Partials);
    }

    private sealed record Sample(double Time, long Bytes, long Offered, double User, double System, double CoreBusy, double LoadCpu, long Calls, long Partials);
}
