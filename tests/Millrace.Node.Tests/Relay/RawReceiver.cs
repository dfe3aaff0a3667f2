using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Millrace.Node.Tests.Harness;
using Millrace.Protocols.Relay;
using Millrace.Streams;

namespace Millrace.Node.Tests.Relay;

/// <summary>A node that plays default/live/x, of which a test decides what it says from then on: not even heartbeats by itself.</summary>
internal sealed class RawReceiver : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly RelaySession _session = new(new RelayOptions { Node = "raw", IsClient = true, TimeoutMicros = long.MaxValue / 4 }, NodeClock.Micros);
    private readonly Thread _thread;
    private volatile bool _hasMedia;
    private volatile bool _hasAnswer;
    private volatile bool _hasEnded;

    public RawReceiver(int port)
    {
        _socket.Connect(IPAddress.Loopback, port);
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    public bool HasMedia => _hasMedia;

    /// <summary>A fetch has been answered.</summary>
    public bool HasAnswer => _hasAnswer;

    public bool HasEnded => _hasEnded;

    public static async Task<RawReceiver> PlayAsync(TestNode node)
    {
        await Wait.Until(() => node.Node.Context.Registry.Find(new StreamName("default", "live", "x")) is { State: StreamState.Live }, "the stream");
        var receiver = new RawReceiver(node.Node.RelayPort);
        await Wait.Until(() => receiver.HasMedia, "media");
        return receiver;
    }

    public void Say(ReadOnlySpan<byte> bytes) => _socket.Send(bytes);

    public static byte[] Message(RelayMessageType type, ReadOnlySpan<byte> payload)
    {
        var output = new ArrayBufferWriter<byte>();
        RelayWriter.Message(output, type, payload);
        return output.WrittenSpan.ToArray();
    }

    public void Dispose()
    {
        _socket.Dispose();
        _thread.Join();
        _session.Dispose();
    }

    private void Run()
    {
        var output = new ArrayBufferWriter<byte>();
        _session.Start(output);
        var buffer = new byte[64 * 1024];
        try
        {
            do
            {
                // Once media comes the test speaks.
                if (!_hasMedia)
                    _socket.Send(output.WrittenSpan);
                output.ResetWrittenCount();
            }
            while (TryReceive(buffer, output));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Debug.WriteLine(e.Message);
        }

        _hasEnded = true;
    }

    private bool TryReceive(byte[] buffer, ArrayBufferWriter<byte> output)
    {
        var received = _socket.Receive(buffer);
        for (var offset = 0; offset < received;)
        {
            var input = new ReadOnlySequence<byte>(buffer, offset, received - offset);
            _session.Receive(input, output, NodeClock.Micros, out var consumed);
            offset += (int)input.Slice(0, consumed).Length;
            while (_session.TryTakeEvent(out var happened))
                Take(happened, output);
        }

        return received > 0;
    }

    private void Take(in RelayEvent happened, ArrayBufferWriter<byte> output)
    {
        if (happened.Kind == RelayEventKind.Ready)
            _session.Request(output, new RelayRequest { Kind = RelayRequestKind.Play, Stream = "default/live/x" });
        else if (happened is { Kind: RelayEventKind.Log, Type: RelayMessageType.Unit })
            _hasMedia = true;
        else if (happened.Kind == RelayEventKind.Object)
            _hasAnswer = true;
    }
}
