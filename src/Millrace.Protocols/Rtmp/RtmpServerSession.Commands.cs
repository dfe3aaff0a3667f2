using System.Buffers;
using Millrace.Media.Amf;

namespace Millrace.Protocols.Rtmp;

/// <summary>Commands from the client (RTMP 1.0, 7.2, and what FMLE and others send beyond it).</summary>
internal sealed partial class RtmpServerSession
{
    private enum Role : byte
    {
        Idle,
        PublishPending,
        Publishing,
        PlayPending,
        Playing,
    }

    /// <summary>Longest connect, bytes: it is kept for as long as the connection lasts. Real ones stay below 2 KB, tokens in URLs included.</summary>
    private const int MaxConnectBytes = 16 * 1024;

    private readonly List<uint> _streams = [];
    private Role _role;
    private uint _stream;
    private bool _isReset;
    private bool _isFmle;

    private void OnCommand(RtmpCommand command, int length, uint streamId, IBufferWriter<byte> reply)
    {
        if (Connect is null && !command.Name.Equals("connect", StringComparison.Ordinal))
        {
            Close($"{Printable(command.Name)} before connect");
            return;
        }

        switch (command.Name)
        {
            case "connect":
                OnConnect(command, length, reply);
                break;
            case "createStream":
                OnCreateStream(command, reply);
                break;
            case "releaseStream":
                Answer(command, reply);
                break;
            case "FCPublish":
                // FMLE waits for onFCPublish too; it goes out with the verdict on publish.
                _isFmle = true;
                Answer(command, reply);
                break;
            case "publish":
                OnPublish(command, streamId, reply);
                break;
            case "play":
                OnPlay(command, streamId, reply);
                break;
            case "FCUnpublish":
                OnUnpublish(command, reply);
                break;
            case "deleteStream":
                OnDeleteStream(command, streamId, reply);
                break;
            case "closeStream":
                EndRole(streamId, reply);
                break;
            case "_result" or "_error" or "onStatus":
                break;
            default:
                OnOther(command, streamId, reply);
                break;
        }
    }

    private void OnOther(RtmpCommand command, uint streamId, IBufferWriter<byte> reply)
    {
        switch (command.Name)
        {
            case "pause" or "pauseRaw":
                OnPause(command, reply);
                break;
            case "seek":
                Raise(RtmpEventKind.Seek, streamId, false, command.Argument(0).Number);
                _commands.SendStatus(reply, _stream, "status", "NetStream.Seek.Notify", "live stream: nothing to seek in");
                break;
            case "receiveAudio":
                Raise(RtmpEventKind.ReceiveAudio, streamId, command.Argument(0).IsTrue, 0);
                break;
            case "receiveVideo":
                Raise(RtmpEventKind.ReceiveVideo, streamId, command.Argument(0).IsTrue, 0);
                break;
            case "getStreamLength":
                _commands.SendResult(reply, command.TransactionId, 0);
                break;
            case "FCSubscribe":
                _commands.SendInfo(reply, 0, "onFCSubscribe", 0, "status", "NetStream.Play.Start", Printable(command.Text(0) ?? ""));
                Answer(command, reply);
                break;
            case "close":
                Close("closed by the client");
                break;
            default:
                // _checkbw, checkBandwidth, NetStream.Authenticate.UsherToken, …: an answer, and nobody is harmed.
                Answer(command, reply);
                break;
        }
    }

    private void OnConnect(RtmpCommand command, int length, IBufferWriter<byte> reply)
    {
        if (Connect is not null)
        {
            Close("connect twice");
            return;
        }

        if (length > MaxConnectBytes)
        {
            Close($"connect of {length} bytes, more than {MaxConnectBytes}");
            return;
        }

        var info = command.Object;
        Connect = new RtmpConnect(
            info.GetString("app") ?? "",
            info.GetString("tcUrl") ?? "",
            info.GetString("swfUrl") ?? "",
            info.GetString("pageUrl") ?? "",
            info.GetString("flashVer") ?? "",
            info.GetNumber("objectEncoding") ?? 0,
            RtmpPeerCapabilities.Parse(info),
            command.Arguments);
        _connectTransaction = command.TransactionId;
        BufferLengthMillis = _options.BufferLengthMillis;
        _isConnectPending = true;
        if (!_options.DeferConnect)
        {
            AcceptConnect(reply);
        }

        _events.Enqueue(new RtmpEvent { Kind = RtmpEventKind.Connected, Request = Connect });
    }

    private void OnCreateStream(RtmpCommand command, IBufferWriter<byte> reply)
    {
        if (_streams.Count >= _options.MaxMessageStreams)
        {
            _commands.SendInfo(reply, 0, "_error", command.TransactionId, "error", "NetConnection.Call.Failed", "too many streams");
            return;
        }

        // 1 first, then the smallest free one: a client that deletes and creates again gets 1 again.
        var id = RtmpIds.FirstMessageStream;
        while (_streams.Contains(id))
        {
            id++;
        }

        _streams.Add(id);
        _commands.SendResult(reply, command.TransactionId, id);
    }

    private void OnPublish(RtmpCommand command, uint streamId, IBufferWriter<byte> reply)
    {
        var name = command.Text(0);
        if (string.IsNullOrEmpty(name) || _role != Role.Idle)
        {
            var why = _role == Role.Idle ? "publish without a stream name" : "this connection already has a stream";
            _commands.SendStatus(reply, Usable(streamId), "error", "NetStream.Publish.BadName", why);
            return;
        }

        Begin(Role.PublishPending, streamId);
        _link.Reader.MaxBufferedBytes = _options.MaxBufferedBytes;
        var type = command.Text(1);
        var request = new RtmpPublishRequest(name, string.IsNullOrEmpty(type) ? "live" : type);
        _events.Enqueue(new RtmpEvent { Kind = RtmpEventKind.PublishRequested, MessageStreamId = _stream, Request = request });
    }

    private void OnPlay(RtmpCommand command, uint streamId, IBufferWriter<byte> reply)
    {
        var name = command.Text(0);
        var isOther = _role is Role.Publishing or Role.PublishPending || _role != Role.Idle && Usable(streamId) != _stream;
        if (string.IsNullOrEmpty(name) || isOther)
        {
            var why = isOther ? "this connection already has a stream" : "play without a stream name";
            _commands.SendStatus(reply, Usable(streamId), "error", "NetStream.Play.Failed", why);
            return;
        }

        // play while playing switches (7.2.2.1).
        End();
        Begin(Role.PlayPending, streamId);
        var start = command.Argument(1) is { Kind: AmfKind.Number } from ? from.Number : -2;
        var duration = command.Argument(2) is { Kind: AmfKind.Number } length ? length.Number : -1;
        _isReset = command.Argument(3).IsNothing || command.Argument(3).IsTrue;
        var request = new RtmpPlayRequest(name, start, duration, _isReset);
        _events.Enqueue(new RtmpEvent { Kind = RtmpEventKind.PlayRequested, MessageStreamId = _stream, Request = request });
    }

    private void OnUnpublish(RtmpCommand command, IBufferWriter<byte> reply)
    {
        _commands.SendInfo(reply, 0, "onFCUnpublish", 0, "status", "NetStream.Unpublish.Success", "stream is unpublished");
        Answer(command, reply);
        if (_role is Role.Publishing or Role.PublishPending)
        {
            EndRole(_stream, reply);
        }
    }

    private void OnDeleteStream(RtmpCommand command, uint streamId, IBufferWriter<byte> reply)
    {
        var id = command.Argument(0) is { Kind: AmfKind.Number, Number: >= 0 and <= uint.MaxValue } number ? (uint)number.Number : streamId;
        EndRole(id, reply);
        _streams.Remove(id);
    }

    private void OnPause(RtmpCommand command, IBufferWriter<byte> reply)
    {
        if (_role != Role.Playing)
        {
            Answer(command, reply);
            return;
        }

        var isPaused = command.Argument(0).IsTrue;
        _link.Writer.WriteUserControl(reply, isPaused ? RtmpUserControl.StreamEof : RtmpUserControl.StreamBegin, _stream);
        var code = isPaused ? "NetStream.Pause.Notify" : "NetStream.Unpause.Notify";
        _commands.SendStatus(reply, _stream, "status", code, isPaused ? "paused" : "unpaused");
        Raise(RtmpEventKind.Paused, _stream, isPaused, command.Argument(1).Number);
    }

    /// <summary>The client ended the stream of that id.</summary>
    private void EndRole(uint streamId, IBufferWriter<byte> reply)
    {
        if (_role == Role.Idle || (streamId == 0 ? RtmpIds.FirstMessageStream : streamId) != _stream)
        {
            return;
        }

        if (_role == Role.Publishing)
        {
            _commands.SendStatus(reply, _stream, "status", "NetStream.Unpublish.Success", "stream is unpublished");
        }

        End();
    }

    private void Begin(Role role, uint streamId)
    {
        _role = role;
        _stream = Usable(streamId);
        _setupDeadline = None;
    }

    private void End()
    {
        if (_role == Role.Idle)
        {
            return;
        }

        var kind = _role is Role.Publishing or Role.PublishPending ? RtmpEventKind.PublishEnded : RtmpEventKind.PlayEnded;
        Raise(kind, _stream, false, 0);
        ToIdle();
    }

    private void ToIdle()
    {
        _role = Role.Idle;
        _held.Dispose();
        _setupDeadline = Later(_options.RepublishTimeoutMicros);
    }

    private void Raise(RtmpEventKind kind, uint streamId, bool flag, double millis) =>
        _events.Enqueue(new RtmpEvent { Kind = kind, MessageStreamId = streamId, Flag = flag, Millis = millis });

    /// <summary>Answers a call that wants an answer (transaction id not 0) with null.</summary>
    private void Answer(RtmpCommand command, IBufferWriter<byte> reply)
    {
        if (command.TransactionId != 0)
        {
            _commands.SendResult(reply, command.TransactionId);
        }
    }

    /// <summary>
    /// Clients that play without createStream use stream 0; their media goes to stream 1 like everybody's. So does that of
    /// ids that we never gave out: each id that is played on costs wire bytes of its own.
    /// </summary>
    private uint Usable(uint streamId) => _streams.Contains(streamId) ? streamId : RtmpIds.FirstMessageStream;

    private static string Printable(string text)
    {
        var cut = text.Length > 64 ? text[..64] : text;
        return string.Create(cut.Length, cut, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(source[i]) ? '?' : source[i];
            }
        });
    }
}
