using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Millrace.Protocols.Rtmp;

namespace Millrace.Node.Tests.Relay;

/// <summary>A server that sends whoever comes to another one: by RTMP, or by HTTP.</summary>
internal sealed class RedirectingServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly bool _isRtmp;
    private readonly Func<int, string> _target;
    private readonly List<string> _asked = [];

    /// <param name="isRtmp">Or HTTP.</param>
    /// <param name="target">Where to, for the number of the connection from 0 on.</param>
    public RedirectingServer(bool isRtmp, Func<int, string> target)
    {
        (_isRtmp, _target) = (isRtmp, target);
        _listener.Start();
        new Thread(Run) { IsBackground = true }.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>By RTMP the tcUrls, by HTTP the request lines.</summary>
    public IReadOnlyList<string> Asked
    {
        get
        {
            lock (_asked)
                return [.. _asked];
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Run()
    {
        try
        {
            for (var number = 0; ; number++)
            {
                using var socket = _listener.AcceptSocket();
                if (_isRtmp)
                    AnswerRtmp(socket, _target(number));
                else
                    AnswerHttp(socket, _target(number));
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            Debug.WriteLine(e.Message);
        }
    }

    private void AnswerHttp(Socket socket, string target)
    {
        var buffer = new byte[4096];
        var received = socket.Receive(buffer);
        Note(Encoding.ASCII.GetString(buffer, 0, received).Split("\r\n")[0]);
        socket.Send(Encoding.ASCII.GetBytes($"HTTP/1.1 302 Found\r\nlocation: {target}\r\nContent-Length: 0\r\n\r\n"));
    }

    private void AnswerRtmp(Socket socket, string target)
    {
        var session = new RtmpServerSession(RtmpOptions.Default with { DeferConnect = true }, 0);
        var reply = new ArrayBufferWriter<byte>();
        var buffer = new byte[64 * 1024];
        var held = 0;
        while (!session.IsClosed && socket.Receive(buffer, held, buffer.Length - held, SocketFlags.None) is > 0 and var received)
        {
            var input = new ReadOnlySequence<byte>(buffer, 0, held + received);
            session.Receive(input, reply, 0, out var consumed);
            var rest = input.Slice(consumed).ToArray();
            rest.CopyTo(buffer, 0);
            held = rest.Length;
            while (session.TryTakeEvent(out var happened))
            {
                if (happened.Kind != RtmpEventKind.Connected)
                    continue;
                Note(session.Connect!.TcUrl);
                session.RejectConnect(reply, "elsewhere", target);
            }

            socket.Send(reply.WrittenSpan);
            reply.ResetWrittenCount();
        }
    }

    private void Note(string asked)
    {
        lock (_asked)
            _asked.Add(asked);
    }
}
