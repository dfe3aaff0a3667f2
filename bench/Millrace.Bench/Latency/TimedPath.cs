using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Millrace.Bench.Load;
using Millrace.Bench.Rtmp;

namespace Millrace.Bench.Latency;

/// <summary>One way from a sender to a receiver; each end has a thread with blocking calls.</summary>
internal sealed class TimedPath(string label, StampedClip clip) : IDisposable
{
    private readonly List<double> _milliseconds = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Thread> _threads = [];
    private readonly List<Socket> _sockets = [];
    private volatile string? _fault;
    private long _countFrom = long.MaxValue;

    public string? Fault => _fault;

    /// <summary>Pictures that are sent from now on count.</summary>
    public void StartCounting() => Volatile.Write(ref _countFrom, Stopwatch.GetTimestamp());

    /// <summary>Ends both threads and returns the delays in ms, sorted.</summary>
    public double[] Finish()
    {
        Volatile.Write(ref _countFrom, long.MaxValue);
        _stop.Cancel();
        foreach (var socket in _sockets) socket.Dispose();
        foreach (var thread in _threads) thread.Join();
        return [.. _milliseconds.Order()];
    }

    public void Dispose()
    {
        if (!_stop.IsCancellationRequested) Finish();
        _stop.Dispose();
    }

    public Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _sockets.Add(socket);
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    public void Own(Socket socket) => _sockets.Add(socket);

    /// <summary>Sends the clip in real time, again and again, through <paramref name="write"/> (which puts a message into the buffer).</summary>
    public void StartSender(Socket socket, ArrayBufferWriter<byte> output, Action<byte, uint, byte[]> write) => StartThread("send", () =>
    {
        byte[] replies = new byte[64 * 1024];
        foreach (var config in clip.Configs) write(config.Type, 0, config.Payload);
        var clock = Stopwatch.StartNew();
        for (uint round = 0; ; round++)
        {
            foreach (var frame in clip.Frames)
            {
                uint time = (round * clip.PeriodMs) + frame.Timestamp;
                double wait = time - clock.Elapsed.TotalMilliseconds;
                if (wait > 0 && _stop.Token.WaitHandle.WaitOne((int)Math.Ceiling(wait))) return;
                if (frame.Type == MediaMessage.Video) StampedClip.Stamp(frame.Payload);
                write(frame.Type, time, frame.Payload);
                SendAll(socket, output);
                while (socket.Available > 0) socket.Receive(replies); // acknowledgements; unread, they would fill the socket
            }
        }
    });

    public void StartReceiver(Socket socket, Action<ReadOnlySpan<byte>> feed) => StartThread("receive", () =>
    {
        byte[] buffer = new byte[256 * 1024];
        int count;
        while ((count = socket.Receive(buffer)) > 0) feed(buffer.AsSpan(0, count));
        throw new InvalidDataException("closed by the other side");
    });

    public void OnMedia(MediaMessage message)
    {
        long now = Stopwatch.GetTimestamp();
        if (message.Type != MediaMessage.Video || message.Payload.Length < 64) return;
        if (!StampedClip.TryReadStamp(message.Payload.Span, out long sent)) throw new InvalidDataException("a picture came without its send time");
        if (sent >= Volatile.Read(ref _countFrom)) _milliseconds.Add((now - sent) * 1000.0 / Stopwatch.Frequency);
    }

    /// <summary>Runs a client's handshake to its end with blocking calls.</summary>
    public static void Open(Socket socket, MediaClient client, Func<bool> done)
    {
        byte[] buffer = new byte[64 * 1024];
        client.Open();
        SendAll(socket, client.Output);
        socket.ReceiveTimeout = 10_000;
        while (!done())
        {
            int count = socket.Receive(buffer);
            if (count == 0) throw new InvalidDataException("closed by the server");
            client.Feed(buffer.AsSpan(0, count));
            SendAll(socket, client.Output);
        }

        socket.ReceiveTimeout = 0;
    }

    public static void SendAll(Socket socket, ArrayBufferWriter<byte> output)
    {
        var left = output.WrittenSpan;
        while (!left.IsEmpty) left = left[socket.Send(left)..];
        output.ResetWrittenCount();
    }

    private void StartThread(string role, Action body)
    {
        var thread = new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidDataException)
            {
                if (!_stop.IsCancellationRequested) _fault = $"{label}, {role}: {e.Message}";
            }
        })
        { IsBackground = true, Name = $"{label} {role}" };
        _threads.Add(thread);
        thread.Start();
    }
}
