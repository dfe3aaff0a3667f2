using System.Net;
using System.Net.Sockets;

namespace Millrace.EndToEnd.Cluster;

/// <summary>The line from an edge to its origin, which can be cut, frozen, slowed down and led to another node. It counts what is connected over it.</summary>
internal sealed class RelayLine : IAsyncDisposable
{
    private static readonly TaskCompletionSource Flowing = Done();

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<Socket> _open = [];
    private readonly Task _accepting;
    private volatile TaskCompletionSource _flow = Flowing;
    private volatile bool _isCut;
    private volatile int _target;
    private volatile int _delayMillis;
    private int _connections;

    /// <param name="target">The origin's relay port.</param>
    public RelayLine(int target)
    {
        _target = target;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>As an origin of another node.</summary>
    public string Address => $"millrace://127.0.0.1:{Port}";

    /// <summary>All that were ever made.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Resets all connections, and all that are made until <see cref="Restore"/>.</summary>
    public void Cut()
    {
        _isCut = true;
        lock (_gate)
        {
            foreach (var socket in _open)
                Reset(socket);
            _open.Clear();
        }
    }

    /// <summary>From now on no byte arrives, and no connection ends; those that are made stay silent too.</summary>
    public void Freeze() => _flow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>From now on what is read at one end is held for so long before it is sent on, and nothing more is read meanwhile.</summary>
    public void Slow(TimeSpan delay) => _delayMillis = (int)delay.TotalMilliseconds;

    /// <summary>What was cut can be connected again, what was frozen arrives late, what was slow is fast.</summary>
    /// <param name="target">Where new connections go; null: where they went before.</param>
    public void Restore(int? target = null)
    {
        _target = target ?? _target;
        (_isCut, _delayMillis) = (false, 0);
        _flow.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Cut();
        _listener.Dispose();
        _flow.TrySetResult();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static TaskCompletionSource Done()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended by itself.
        }

        socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var near = await _listener.AcceptAsync(_stop.Token);
            Interlocked.Increment(ref _connections);
            _ = PassAsync(near);
        }
    }

    private async Task PassAsync(Socket near)
    {
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        lock (_gate)
            _open.AddRange([near, far]);
        try
        {
            if (!_isCut)
            {
                await far.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                await await Task.WhenAny(PumpAsync(near, far), PumpAsync(far, near));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One end has gone, and the other goes with it.
        }

        Reset(near);
        Reset(far);
        lock (_gate)
            _open.RemoveAll(socket => socket == near || socket == far);
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 << 10];
        while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var received)
        {
            await _flow.Task;
            if (_delayMillis is > 0 and var delay)
                await Task.Delay(delay, _stop.Token);
            for (var sent = 0; sent < received;)
                sent += await to.SendAsync(buffer.AsMemory(sent, received - sent), _stop.Token);
        }

        // What is on its way in the other direction has been sent before.
        to.Shutdown(SocketShutdown.Send);
        await Task.Delay(TimeSpan.FromMilliseconds(200), _stop.Token);
    }
}
