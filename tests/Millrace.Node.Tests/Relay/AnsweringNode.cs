using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Millrace.Protocols.Relay;

namespace Millrace.Node.Tests.Relay;

/// <summary>A node of which a test decides what it answers: one connection after the other, each answer in one segment.</summary>
internal sealed class AnsweringNode : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Action<RelaySession, RelayRequest, IBufferWriter<byte>> _answer;

    /// <param name="answer">Writes the answer to a request.</param>
    public AnsweringNode(Action<RelaySession, RelayRequest, IBufferWriter<byte>> answer)
    {
        _answer = answer;
        _listener.Start();
        new Thread(Run) { IsBackground = true }.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    private void Run()
    {
        try
        {
            while (true)
            {
                using var socket = _listener.AcceptSocket();
                using var session = new RelaySession(new RelayOptions { Node = "answering", IsClient = false }, NodeClock.Micros);
                Serve(socket, session);
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            Debug.WriteLine(e.Message);
        }
    }

    private void Serve(Socket socket, RelaySession session)
    {
        var buffer = new byte[64 * 1024];
        while (!session.IsClosed && socket.Receive(buffer) is > 0 and var received)
        {
            var reply = new ArrayBufferWriter<byte>();
            for (var offset = 0; offset < received;)
            {
                var input = new ReadOnlySequence<byte>(buffer, offset, received - offset);
                session.Receive(input, reply, NodeClock.Micros, out var consumed);
                offset += (int)input.Slice(0, consumed).Length;
                while (session.TryTakeEvent(out var happened))
                {
                    if (happened.Kind == RelayEventKind.Requested)
                        _answer(session, happened.Request!, reply);
                }
            }

            socket.Send(reply.WrittenSpan);
        }
    }
}
