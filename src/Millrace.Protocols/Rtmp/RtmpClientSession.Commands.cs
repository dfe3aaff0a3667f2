using System.Buffers;
using Millrace.Media.Amf;

namespace Millrace.Protocols.Rtmp;

/// <summary>The dialogue: connect, createStream, then publish (as FMLE and OBS do it) or play.</summary>
internal sealed partial class RtmpClientSession
{
    private double _transaction;
    private double _connectTransaction;
    private double _createTransaction;

    private string Waiting { get; set; } = "connect";

    private void SendConnect(IBufferWriter<byte> output)
    {
        // Before connect, as OBS: some servers read connect with the new size at once.
        _link.WriteChunkSize(output);

        _connectTransaction = ++_transaction;
        var amf = _commands.Begin("connect", _connectTransaction);
        amf.StartObject();
        amf.Member("app", _options.App);
        if (_options.IsPublisher)
        {
            amf.Member("type", "nonprivate");
        }

        amf.Member("flashVer", _options.FlashVer);
        Optional(amf, "swfUrl", _options.SwfUrl);
        amf.Member("tcUrl", _options.TcUrl);
        Optional(amf, "pageUrl", _options.PageUrl);
        if (!_options.IsPublisher)
        {
            // What Flash Player and librtmp say of their decoders (7.2.1.1).
            amf.Member("fpad", false);
            amf.Member("capabilities", 15);
            amf.Member("audioCodecs", 4071);
            amf.Member("videoCodecs", 252);
            amf.Member("videoFunction", 1);
        }

        if (_options.IsEnhanced)
        {
            RtmpPeerCapabilities.Write(amf, _options.Link.FourCcs, _options.Link.CapsEx);
        }

        foreach (var (name, value) in _options.ExtraProperties)
        {
            amf.Name(name);
            amf.Value(value);
        }

        amf.EndObject();
        foreach (var value in _options.ExtraArguments)
        {
            amf.Value(value);
        }

        _commands.Send(output, 0);
    }

    private void OnCommand(RtmpCommand command, IBufferWriter<byte> reply)
    {
        switch (command.Name)
        {
            case "_result" when command.TransactionId == _connectTransaction && _createTransaction == 0:
                OnConnected(command, reply);
                break;
            case "_result" when command.TransactionId == _createTransaction && MessageStreamId == 0:
                OnCreated(command, reply);
                break;
            case "_error":
                OnError(command);
                break;
            case "onStatus":
                OnStatus(RtmpStatus.Parse(command.Argument(0)));
                break;
            case "close":
                Close("closed by the server");
                break;
        }
    }

    private void OnConnected(RtmpCommand command, IBufferWriter<byte> reply)
    {
        ServerCapabilities = RtmpPeerCapabilities.Parse(command.Object);
        if (!ServerCapabilities.IsEnhanced)
        {
            // Some servers put them beside the status instead.
            ServerCapabilities = RtmpPeerCapabilities.Parse(command.Argument(0));
        }

        _link.WriteWindow(reply);
        if (_options.IsConnectOnly)
        {
            BecomeReady();
            return;
        }

        if (_options.IsPublisher)
        {
            _commands.SendCall(reply, "releaseStream", ++_transaction, _options.StreamName);
            _commands.SendCall(reply, "FCPublish", ++_transaction, _options.StreamName);
        }

        _createTransaction = ++_transaction;
        _commands.SendCall(reply, "createStream", _createTransaction);
        Waiting = "createStream";
    }

    private void OnCreated(RtmpCommand command, IBufferWriter<byte> reply)
    {
        if (command.Argument(0) is not { Kind: AmfKind.Number, Number: >= 1 and <= uint.MaxValue } id)
        {
            Close("the server's createStream result has no stream id");
            return;
        }

        MessageStreamId = (uint)id.Number;
        Waiting = _options.IsPublisher ? "publish" : "play";
        var amf = _commands.Begin(Waiting, ++_transaction);
        amf.Null();
        amf.String(_options.StreamName);
        if (_options.IsPublisher)
        {
            amf.String("live");
        }
        else
        {
            // -2: live, else recorded (7.2.2.1).
            amf.Number(-2);
        }

        _commands.Send(reply, MessageStreamId);
        if (!_options.IsPublisher)
        {
            _link.Writer.WriteUserControl(reply, RtmpUserControl.SetBufferLength, MessageStreamId, _options.Link.BufferLengthMillis);
        }
    }

    private void OnError(RtmpCommand command)
    {
        var isFatal = command.TransactionId == _connectTransaction || command.TransactionId == _createTransaction;
        if (!isFatal || IsReady)
        {
            // releaseStream of an unknown stream and the like.
            return;
        }

        Refused(RtmpStatus.Parse(command.Argument(0)));
    }

    private void OnStatus(RtmpStatus status)
    {
        if (status.IsError && !IsReady)
        {
            Refused(status);
            return;
        }

        _events.Enqueue(new RtmpClientEvent { Kind = RtmpClientEventKind.Status, Status = status });
        var expected = _options.IsPublisher ? "NetStream.Publish.Start" : "NetStream.Play.Start";
        if (!IsReady && string.Equals(status.Code, expected, StringComparison.Ordinal))
        {
            BecomeReady();
        }
    }

    private void BecomeReady()
    {
        IsReady = true;
        _setupDeadline = None;
        _events.Enqueue(new RtmpClientEvent { Kind = RtmpClientEventKind.Ready });
    }

    private void Refused(RtmpStatus status)
    {
        _events.Enqueue(new RtmpClientEvent { Kind = RtmpClientEventKind.Status, Status = status });
        Close($"refused by the server: {status.Code} {status.Description}");
    }

    private static void Optional(Amf0Writer amf, string name, string? value)
    {
        if (value is not null)
        {
            amf.Member(name, value);
        }
    }
}
