using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Node.Tests.Relay;

/// <summary>A line to another node that can be cut, and that keeps the answer to a request back until it is let go.</summary>
internal sealed class HeldLine : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ManualResetEventSlim _open = new(initialState: true);
    private readonly List<Socket> _sockets = [];
    private readonly Lock _gate = new();
    private readonly int _port;
    private volatile bool _holdsNext;

    /// <param name="port">Where it leads to, on loopback.</param>
    public HeldLine(int port)
    {
        _port = port;
        _listener.Start();
        Start(Accept);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>A request has come, and its answer is kept back.</summary>
    public bool IsHolding => !_open.IsSet;

    /// <summary>Ends the connections that there are; of the next the answer is kept back.</summary>
    public void CutAndHold()
    {
        _holdsNext = true;
        Cut();
    }

    public void LetGo() => _open.Set();

    public void Dispose()
    {
        _listener.Dispose();
        _open.Set();
        Cut();
    }

    private void Cut()
    {
        lock (_gate)
        {
            _sockets.ForEach(static socket => socket.Dispose());
            _sockets.Clear();
        }
    }

    private void Accept()
    {
        while (true)
        {
            var near = _listener.AcceptSocket();
            var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            far.Connect(IPAddress.Loopback, _port);
            lock (_gate)
                _sockets.AddRange([near, far]);
            Start(() => PassUp(near, far));
            Start(() => PassDown(far, near));
        }
    }

    /// <summary>What comes first introduces the client, what comes next is its request.</summary>
    private void PassUp(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        for (var count = 1; from.Receive(buffer) is > 0 and var received; count++)
        {
            if (count == 2 && _holdsNext)
            {
                _holdsNext = false;
                _open.Reset();
            }

            to.Send(buffer.AsSpan(0, received));
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private void PassDown(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        while (from.Receive(buffer) is > 0 and var received)
        {
            _open.Wait();
            to.Send(buffer.AsSpan(0, received));
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private static void Start(Action run)
    {
        new Thread(Run) { IsBackground = true }.Start();

        void Run()
        {
            try
            {
                run();
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                Debug.WriteLine(e.Message);
            }
        }
    }
}
