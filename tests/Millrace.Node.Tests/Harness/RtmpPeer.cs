using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Millrace.Media.Amf;
using Millrace.Media.Flv;
using Millrace.Protocols.Rtmp;

namespace Millrace.Node.Tests.Harness;

/// <summary>An RTMP client over a real socket: the project's own client session with a thread that reads.</summary>
internal sealed class RtmpPeer : IDisposable
{
    private readonly Socket _socket;
    private readonly RtmpClientSession _session;
    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<ClipTag> _media = new();
    private readonly ConcurrentQueue<string> _statuses = new();
    private readonly RtmpChunkWriter _writer = new() { ChunkSize = RtmpOptions.Default.ChunkSize };

    public RtmpPeer(Socket socket, string tcUrl, string app, string name, bool isPublisher, bool isEnhanced)
    {
        _socket = socket;
        var options = new RtmpClientOptions { App = app, TcUrl = tcUrl, StreamName = name, IsPublisher = isPublisher, IsEnhanced = isEnhanced };
        _session = new RtmpClientSession(options, 0);
        Send(output => _session.Start(output));
        new Thread(Read) { IsBackground = true }.Start();
    }

    public bool IsReady { get; private set; }

    /// <summary>The server has closed the connection, or the session has ended.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Codes of all onStatus messages so far.</summary>
    public IReadOnlyList<string> Statuses => [.. _statuses];

    /// <summary>Where the server has sent this client.</summary>
    public string? Redirect { get; private set; }

    public IReadOnlyList<ClipTag> Media => [.. _media];

    public int MediaCount => _media.Count;

    /// <summary>Audio, video and data.</summary>
    public void SendMedia(FlvTagType type, uint time, byte[] body) => Send(output => _session.WriteMedia(output, (RtmpMessageType)type, time, body));

    public void SendMedia(ClipTag tag, uint shift = 0) => SendMedia(tag.Type, tag.Time + shift, tag.Body);

    /// <summary>Metadata, sequence headers and the first media of the clip.</summary>
    public void SendClip(int mediaTags = 40)
    {
        foreach (var tag in TestClip.Start)
            SendMedia(tag);
        foreach (var tag in TestClip.Media.Take(mediaTags))
            SendMedia(tag);
    }

    /// <summary>A command on the message stream, with null for its object.</summary>
    public void SendCommand(string name, Action<Amf0Writer> arguments) => Send(output => Write(output, name, arguments));

    /// <summary>Sends a command some times over in one flight, and resets the connection without reading an answer.</summary>
    public void SendCommandsAndReset(int count, string name, Action<Amf0Writer> arguments)
    {
        _socket.LingerState = new LingerOption(true, 0);
        Send(output =>
        {
            for (var i = 0; i < count; i++)
                Write(output, name, arguments);
        });
        _socket.Dispose();
    }

    private void Write(IBufferWriter<byte> output, string name, Action<Amf0Writer> arguments)
    {
        var body = new ArrayBufferWriter<byte>();
        var amf = new Amf0Writer(body);
        amf.String(name);
        amf.Number(0);
        amf.Null();
        arguments(amf);
        _writer.Write(output, RtmpIds.DataCsid, RtmpMessageType.CommandAmf0, 0, 1, body.WrittenSpan);
    }

    /// <summary>Says goodbye and leaves.</summary>
    public void Unpublish() => Send(_session.Stop);

    /// <summary>Goes without a word.</summary>
    public void Dispose() => _socket.Dispose();

    private void Send(Action<IBufferWriter<byte>> write)
    {
        lock (_gate)
        {
            var output = new ArrayBufferWriter<byte>();
            write(output);
            var rest = output.WrittenMemory;
            while (!rest.IsEmpty)
                rest = rest[_socket.Send(rest.Span)..];
        }
    }

    private void Read()
    {
        var buffer = new byte[256 * 1024];
        var held = 0;
        try
        {
            while (_socket.Receive(buffer, held, buffer.Length - held, SocketFlags.None) is > 0 and var received)
            {
                var used = Feed(buffer, held + received);
                buffer.AsSpan(used, held + received - used).CopyTo(buffer);
                held = held + received - used;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Debug.WriteLine(e.Message);
        }

        // As every client: what the server waits for after its last word.
        _socket.Dispose();
        HasEnded = true;
    }

    private int Feed(byte[] buffer, int length)
    {
        var offset = 0;
        lock (_gate)
        {
            while (true)
            {
                var input = new ReadOnlySequence<byte>(buffer, offset, length - offset);
                var reply = new ArrayBufferWriter<byte>();
                _session.Receive(input, reply, 0, out var consumed);
                var used = (int)input.Slice(0, consumed).Length;
                offset += used;
                if (reply.WrittenCount > 0)
                    _socket.Send(reply.WrittenSpan);
                var hadEvent = false;
                while (_session.TryTakeEvent(out var happened))
                {
                    hadEvent = true;
                    Take(happened);
                }

                if (!hadEvent && (used == 0 || offset == length))
                    return offset;
            }
        }
    }

    private void Take(in RtmpClientEvent happened)
    {
        switch (happened.Kind)
        {
            case RtmpClientEventKind.Ready:
                IsReady = true;
                break;
            case RtmpClientEventKind.Status:
                Redirect = happened.Status!.Redirect ?? Redirect;
                _statuses.Enqueue(happened.Status.Code);
                break;
            case RtmpClientEventKind.Media:
                _media.Enqueue(new ClipTag((FlvTagType)happened.MessageType, happened.Timestamp, happened.Payload.ToArray()));
                break;
            case RtmpClientEventKind.Closed:
                HasEnded = true;
                break;
        }
    }
}
