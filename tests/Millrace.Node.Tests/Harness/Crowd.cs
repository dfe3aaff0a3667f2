using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Millrace.Protocols.Rtmp;

namespace Millrace.Node.Tests.Harness;

/// <summary>Many viewers with real sockets, whose bytes one thread reads, counts and drops.</summary>
internal sealed class Crowd : IDisposable
{
    private readonly Dictionary<Socket, long> _received = [];
    private readonly Lock _gate = new();
    private readonly TestNode _node;
    private volatile bool _stops;
    private Thread? _reader;

    public Crowd(TestNode node) => _node = node;

    /// <summary>The least that any viewer has received since it joined.</summary>
    public long LeastReceived
    {
        get
        {
            lock (_gate)
                return _received.Values.Min();
        }
    }

    public long TotalReceived
    {
        get
        {
            lock (_gate)
                return _received.Values.Sum();
        }
    }

    public int Ended { get; private set; }

    public void AddFlv(string target)
    {
        var socket = _node.OpenSocket(_node.Node.HttpPort);
        socket.Send(Encoding.ASCII.GetBytes(RawHttp.Get(target)));
        _received.Add(socket, 0);
    }

    /// <summary>Goes through handshake and commands, up to the first bytes of media.</summary>
    public void AddRtmp(string app, string name)
    {
        var socket = _node.OpenSocket(_node.Node.RtmpPort);
        var url = $"rtmp://127.0.0.1:{_node.Node.RtmpPort}/{app}";
        using var session = new RtmpClientSession(new RtmpClientOptions { App = app, TcUrl = url, StreamName = name, IsEnhanced = true }, 0);
        var output = new ArrayBufferWriter<byte>();
        session.Start(output);
        var held = Array.Empty<byte>();
        var buffer = new byte[64 * 1024];
        socket.ReceiveTimeout = (int)Wait.Deadline.TotalMilliseconds;
        while (!session.IsReady)
        {
            if (output.WrittenCount > 0)
                socket.Send(output.WrittenSpan);
            output.ResetWrittenCount();
            var received = socket.Receive(buffer);
            received.ShouldBeGreaterThan(0, session.CloseReason ?? "the server closed the connection");
            held = [.. held, .. buffer.AsSpan(0, received)];
            held = Feed(session, held, output);
        }

        _received.Add(socket, 0);
    }

    public void Start()
    {
        _reader = new Thread(Read) { IsBackground = true };
        _reader.Start();
    }

    public void Dispose()
    {
        _stops = true;
        _reader?.Join();
    }

    private void Read()
    {
        var buffer = new byte[1 << 20];
        var all = _received.Keys.ToList();
        var ready = new List<Socket>();
        while (!_stops && all.Count > 0)
        {
            ready.Clear();
            ready.AddRange(all);
            Socket.Select(ready, null, null, TimeSpan.FromMilliseconds(20));
            foreach (var socket in ready)
            {
                var received = Receive(socket, buffer);
                lock (_gate)
                    _received[socket] += received;
                if (received > 0)
                    continue;
                all.Remove(socket);
                Ended++;
            }
        }
    }

    /// <summary>One message at a time: the session stops behind each that brought an event.</summary>
    private static byte[] Feed(RtmpClientSession session, byte[] held, ArrayBufferWriter<byte> output)
    {
        while (true)
        {
            var input = new ReadOnlySequence<byte>(held);
            session.Receive(input, output, 0, out var consumed);
            var rest = input.Slice(consumed).ToArray();
            while (session.TryTakeEvent(out _))
            {
            }

            if (rest.Length == held.Length || rest.Length == 0)
                return rest;
            held = rest;
        }
    }

    private static int Receive(Socket socket, byte[] buffer)
    {
        try
        {
            return socket.Receive(buffer);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }
}
