using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Millrace.Protocols.Rtmp;

namespace Millrace.Node.Tests.Access;

/// <summary>An RTMP server that answers connect and nothing else.</summary>
internal sealed class ConnectServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<RtmpConnect, string?> _refusal;
    private readonly ConcurrentQueue<RtmpConnect> _connects = new();
    private int _waiting;
    private int _mostAtOnce;

    /// <param name="refusal">Null: accepted; empty: it hangs up; else the reason that it gives.</param>
    public ConnectServer(Func<RtmpConnect, string?> refusal)
    {
        _refusal = refusal;
        _listener.Start(512);
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public IReadOnlyList<RtmpConnect> Connects => [.. _connects];

    /// <summary>Connections that were open and without an answer at the same moment.</summary>
    public int MostAtOnce => Volatile.Read(ref _mostAtOnce);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Debug.WriteLine(e.Message);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var owned = socket;
        using var session = new RtmpServerSession(RtmpOptions.Default with { DeferConnect = true }, 0, new ArrayBufferWriter<byte>());
        var (buffer, held, isWaiting) = (new byte[64 * 1024], 0, true);
        InterlockedMax(ref _mostAtOnce, Interlocked.Increment(ref _waiting));
        try
        {
            while (!session.IsClosed && await socket.ReceiveAsync(buffer.AsMemory(held)) is > 0 and var received)
            {
                var reply = new ArrayBufferWriter<byte>();
                held = Feed(session, buffer, held + received, reply, out var isAnswered, out var hangsUp);
                if (hangsUp)
                    break;
                // Before the answer goes out: who has it may ask the next question before we see him leave.
                if (isAnswered && isWaiting)
                    Interlocked.Decrement(ref _waiting);
                isWaiting &= !isAnswered;
                await socket.SendAsync(reply.WrittenMemory);
            }
        }
        catch (SocketException e)
        {
            Debug.WriteLine(e.Message);
        }
        finally
        {
            if (isWaiting)
                Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Bytes that are left for the next time.</summary>
    private int Feed(RtmpServerSession session, byte[] buffer, int length, ArrayBufferWriter<byte> reply, out bool isAnswered, out bool hangsUp)
    {
        (isAnswered, hangsUp) = (false, false);
        for (var offset = 0; ;)
        {
            session.Receive(new ReadOnlySequence<byte>(buffer, offset, length - offset), reply, 0, out var consumed);
            var used = (int)new ReadOnlySequence<byte>(buffer, offset, length - offset).Slice(0, consumed).Length;
            offset += used;
            var hadEvent = false;
            while (session.TryTakeEvent(out var happened))
            {
                hadEvent = true;
                if (happened.Connect is not { } connect)
                    continue;
                isAnswered = true;
                hangsUp |= Decide(session, connect, reply);
            }

            if (hadEvent || (used > 0 && offset < length))
                continue;
            buffer.AsSpan(offset, length - offset).CopyTo(buffer);
            return length - offset;
        }
    }

    private bool Decide(RtmpServerSession session, RtmpConnect connect, ArrayBufferWriter<byte> reply)
    {
        _connects.Enqueue(connect);
        var refusal = _refusal(connect);
        if (refusal is null)
            session.AcceptConnect(reply);
        else if (refusal.Length > 0)
            session.RejectConnect(reply, refusal);
        return refusal?.Length == 0;
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = target; value > seen; seen = Volatile.Read(ref target))
            Interlocked.CompareExchange(ref target, value, seen);
    }
}
