using System.Buffers;
using System.Runtime.CompilerServices;
using Millrace.Protocols.Rtmp;

namespace Millrace.Protocols.Tests.Rtmp;

/// <summary>Plays the caller of a session: keeps what was not consumed, offers it again, takes events, answers requests.</summary>
internal sealed class RtmpFeed(RtmpServerSession session)
{
    private byte[] _pending = [];

    public ArrayBufferWriter<byte> Reply { get; } = new();

    /// <summary>One line per event; media with a checksum of its payload.</summary>
    public List<string> Events { get; } = [];

    public List<RtmpEvent> Raw { get; } = [];

    public bool Accepts { get; init; } = true;

    public long Now { get; set; }

    public void Push(ReadOnlySpan<byte> bytes, int step = int.MaxValue)
    {
        while (!bytes.IsEmpty)
        {
            var take = Math.Min(step, bytes.Length);
            _pending = [.. _pending, .. bytes[..take]];
            bytes = bytes[take..];
            Pump();
        }
    }

    public void Pump()
    {
        while (true)
        {
            var input = new ReadOnlySequence<byte>(_pending);
            session.Receive(in input, Reply, Now, out var consumed);
            var rest = input.Slice(consumed);
            var hadEvent = false;
            while (session.TryTakeEvent(out var e))
            {
                hadEvent = true;
                Record(in e);
            }

            var progressed = rest.Length != _pending.Length;
            _pending = rest.ToArray();
            if (!hadEvent && !progressed)
            {
                return;
            }
        }
    }

    public static byte[] Capture(string name, [CallerFilePath] string here = "") =>
        File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "Media", "rtmp", name));

    private void Record(in RtmpEvent e)
    {
        Raw.Add(e);
        Events.Add(e.Kind == RtmpEventKind.Media ? $"{e} #{Sum(e.Payload.Span):x8}" : Describe(in e));
        if (Accepts && e.Kind == RtmpEventKind.PublishRequested)
        {
            session.AcceptPublish(Reply);
        }

        if (Accepts && e.Kind == RtmpEventKind.PlayRequested)
        {
            session.AcceptPlay(Reply);
        }
    }

    private static string Describe(in RtmpEvent e) => e.Kind switch
    {
        RtmpEventKind.Connected => $"Connected {e.Connect!.App} {e.Connect.TcUrl}",
        RtmpEventKind.PublishRequested => $"Publish {e.Publish!.Name} {e.Publish.Type} on {e.MessageStreamId}",
        RtmpEventKind.PlayRequested => $"Play {e.Play!.Name} {e.Play.Start} on {e.MessageStreamId}",
        _ => $"{e.Kind} {e.Flag} {e.Millis}",
    };

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 2166136261;
        foreach (var b in bytes)
        {
            sum = unchecked((sum ^ b) * 16777619);
        }

        return sum;
    }
}

/// <summary>Builds the client's bytes by hand.</summary>
internal sealed class RtmpBytes
{
    private readonly RtmpChunkWriter _chunks = new();
    private readonly RtmpCommandWriter _commands;

    public RtmpBytes() => _commands = new RtmpCommandWriter(_chunks);

    public ArrayBufferWriter<byte> Output { get; } = new();

    public RtmpChunkWriter Chunks => _chunks;

    public RtmpCommandWriter Commands => _commands;

    public byte[] ToArray() => Output.WrittenSpan.ToArray();

    public RtmpBytes Handshake()
    {
        Output.Write<byte>([3]);
        Output.Write(new byte[2 * RtmpHandshake.PacketSize]);
        return this;
    }

    public RtmpBytes Connect(string app = "live", Action<Millrace.Media.Amf.Amf0Writer>? more = null)
    {
        var amf = _commands.Begin("connect", 1);
        amf.StartObject();
        amf.Member("app", app);
        amf.Member("tcUrl", "rtmp://host/" + app);
        more?.Invoke(amf);
        amf.EndObject();
        _commands.Send(Output, 0);
        return this;
    }

    public RtmpBytes Call(string name, double id, uint stream = 0, params object[] arguments)
    {
        var amf = _commands.Begin(name, id);
        amf.Null();
        foreach (var argument in arguments)
        {
            switch (argument)
            {
                case string text:
                    amf.String(text);
                    break;
                case bool flag:
                    amf.Boolean(flag);
                    break;
                case double number:
                    amf.Number(number);
                    break;
            }
        }

        _commands.Send(Output, stream);
        return this;
    }

    public RtmpBytes Media(RtmpMessageType type, uint timestamp, byte[] payload, uint stream = 1)
    {
        _chunks.Write(Output, 6, type, timestamp, stream, payload);
        return this;
    }

    public RtmpBytes Publish(string name = "cam") => Call("createStream", 2).Call("publish", 3, 1, name, "live");
}
