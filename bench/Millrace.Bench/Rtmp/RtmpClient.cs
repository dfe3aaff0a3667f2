using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Millrace.Bench.Load;

namespace Millrace.Bench.Rtmp;

/// <summary>An RTMP player or publisher with the simple handshake and no command it can do without (RTMP 1.0, 5.2 and 7.2).</summary>
internal sealed class RtmpClient(int port, string app, string name, bool publish = false, int chunkSize = RtmpClient.PublishChunkSize) : MediaClient
{
    private const int HandshakeSize = 1536;
    private const int CommandStream = 3;
    private const int PublishChunkSize = 65536;
    private readonly ChunkReader _reader = new();
    private readonly ChunkWriter _writer = new();
    private readonly ArrayBufferWriter<byte> _command = new(512);
    private bool _greeted;
    private uint _stream;

    /// <summary>The message stream that the server has made for this client; 0 before.</summary>
    public uint MessageStream => _stream;

    public override void Open()
    {
        Span<byte> hello = Output.GetSpan(1 + HandshakeSize)[..(1 + HandshakeSize)];
        hello.Clear();
        hello[0] = 3;
        RandomNumberGenerator.Fill(hello[9..]);
        Output.Advance(hello.Length);
    }

    public override void Feed(ReadOnlySpan<byte> bytes)
    {
        _reader.Append(bytes);
        if (!_greeted && !TryGreet()) return;
        while (_reader.TryRead(out var message))
        {
            switch (message.Type)
            {
                case MediaMessage.WindowAckSize when message.Payload.Length >= 4:
                    AckWindow = BinaryPrimitives.ReadUInt32BigEndian(message.Payload.Span);
                    break;
                case MediaMessage.UserControl:
                    AnswerPing(message.Payload.Span);
                    break;
                case MediaMessage.Command:
                    OnCommand(message.Payload.Span);
                    break;
                case MediaMessage.Audio or MediaMessage.Video:
                    Deliver(message);
                    break;
            }
        }
    }

    /// <summary>Writes one audio or video message of a publisher.</summary>
    public void WriteMedia(byte type, uint timestamp, ReadOnlySpan<byte> payload) =>
        _writer.Write(Output, type == MediaMessage.Audio ? 4 : 6, type, timestamp, _stream, payload);

    public void WriteAcknowledgement(long received) => _writer.WriteNumber(Output, MediaMessage.Acknowledgement, (uint)received);

    private bool TryGreet()
    {
        if (!_reader.TryTakeRaw(1 + (2 * HandshakeSize), out var answer)) return false;
        if (answer[0] != 3) throw new InvalidDataException($"RTMP version {answer[0]}");
        Output.Write(answer.Slice(1, HandshakeSize));
        _greeted = true;
        Amf0.WriteString(_command, "connect");
        Amf0.WriteNumber(_command, 1);
        Amf0.WriteObject(_command, ("app", app), ("type", "nonprivate"), ("flashVer", "LNX 9,0,124,2"), ("tcUrl", $"rtmp://127.0.0.1:{port}/{app}"),
            ("fpad", false), ("capabilities", 15), ("audioCodecs", 4071), ("videoCodecs", 252), ("videoFunction", 1));
        SendCommand(0);
        return true;
    }

    private void OnCommand(ReadOnlySpan<byte> body)
    {
        if (!Amf0.TryReadString(ref body, out var command) || !Amf0.TryReadNumber(ref body, out var transaction)) return;
        if (command == "_result" && transaction == 1) CreateStream();
        else if (command == "_result" && transaction == 2 && Amf0.TryReadNull(ref body) && Amf0.TryReadNumber(ref body, out var id)) Begin((uint)id);
        else if (command == "_error" || (command == "onStatus" && body.IndexOf("error"u8) >= 0)) throw new InvalidDataException(Describe(body));
        else if (publish && command == "onStatus" && body.IndexOf("NetStream.Publish.Start"u8) >= 0) Started = true;
    }

    private void CreateStream()
    {
        if (publish) _writer.WriteChunkSize(Output, chunkSize);
        Amf0.WriteString(_command, "createStream");
        Amf0.WriteNumber(_command, 2);
        Amf0.WriteNull(_command);
        SendCommand(0);
    }

    private void Begin(uint stream)
    {
        _stream = stream;
        Amf0.WriteString(_command, publish ? "publish" : "play");
        Amf0.WriteNumber(_command, 3);
        Amf0.WriteNull(_command);
        Amf0.WriteString(_command, name);
        if (publish) Amf0.WriteString(_command, "live");
        SendCommand(stream);
        Asked = true;
    }

    private void SendCommand(uint messageStream)
    {
        _writer.Write(Output, CommandStream, MediaMessage.Command, 0, messageStream, _command.WrittenSpan);
        _command.ResetWrittenCount();
    }

    // User control 6 asks, 7 answers with the same four bytes (7.1.7).
    private void AnswerPing(ReadOnlySpan<byte> body)
    {
        if (body.Length < 6 || BinaryPrimitives.ReadUInt16BigEndian(body) != 6) return;
        _writer.Write(Output, 2, MediaMessage.UserControl, 0, 0, [0, 7, .. body.Slice(2, 4)]);
    }

    private static string Describe(ReadOnlySpan<byte> body)
    {
        int at = body.IndexOf("Net"u8);
        return at < 0 ? "refused" : "refused: " + Encoding.ASCII.GetString(body.Slice(at, Math.Min(40, body.Length - at))).Split('\0')[0];
    }
}
