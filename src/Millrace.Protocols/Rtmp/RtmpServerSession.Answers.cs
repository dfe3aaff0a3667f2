using System.Buffers;

namespace Millrace.Protocols.Rtmp;

/// <summary>What the bridge tells the client. Each does nothing when the session is not in the state it answers.</summary>
internal sealed partial class RtmpServerSession
{
    private double _connectTransaction;

    /// <summary>Answers connect (7.2.1.1); called by the session itself unless <see cref="RtmpOptions.DeferConnect"/> is set.</summary>
    public void AcceptConnect(IBufferWriter<byte> reply)
    {
        if (!_isConnectPending || IsClosed)
        {
            return;
        }

        _isConnectPending = false;
        _link.WriteWindow(reply);
        _link.Writer.WritePeerBandwidth(reply, _options.AckWindow);
        _link.WriteChunkSize(reply);

        var amf = _commands.Begin("_result", _connectTransaction);
        amf.StartObject();
        amf.Member("fmsVer", _options.FmsVersion);
        amf.Member("capabilities", 31);
        amf.Member("mode", 1);
        if (Connect!.Capabilities.IsEnhanced)
        {
            RtmpPeerCapabilities.Write(amf, _options.FourCcs, _options.CapsEx);
        }

        amf.EndObject();
        amf.StartObject();
        amf.Member("level", "status");
        amf.Member("code", "NetConnection.Connect.Success");
        amf.Member("description", "Connection succeeded.");
        amf.Member("objectEncoding", Connect.ObjectEncoding);
        amf.Name("data");
        amf.StartEcmaArray(1);
        amf.Member("version", _options.ServerName);
        amf.EndObject();
        amf.EndObject();
        _commands.Send(reply, 0);

        _commands.SendCall(reply, "onBWDone", 0);
    }

    /// <summary>
    /// Refuses the connection and ends the session; <see cref="CloseReason"/> becomes the description. With DeferConnect the client gets
    /// _error; after an automatic accept, onStatus. <paramref name="redirect"/> is an RTMP URL to go to instead (ex.redirect, code 302):
    /// what to connect to, as Adobe's servers say it; <paramref name="redirectStream"/> the whole URL of the stream, as SRS says it besides
    /// (ex.redirect2).
    /// </summary>
    public void RejectConnect(IBufferWriter<byte> reply, string description, string? redirect = null, string? redirectStream = null)
    {
        if (IsClosed)
        {
            return;
        }

        var amf = _isConnectPending ? _commands.Begin("_error", _connectTransaction) : _commands.Begin("onStatus", 0);
        amf.Null();
        amf.StartObject();
        amf.Member("level", "error");
        amf.Member("code", "NetConnection.Connect.Rejected");
        amf.Member("description", description);
        if (redirect is not null)
        {
            amf.Name("ex");
            amf.StartObject();
            amf.Member("code", 302);
            amf.Member("redirect", redirect);
            if (redirectStream is not null)
            {
                amf.Member("redirect2", redirectStream);
            }

            amf.EndObject();
        }

        amf.EndObject();
        _commands.Send(reply, 0);
        _commands.SendCall(reply, "close", 0);
        _isConnectPending = false;
        Close(description);
    }

    /// <summary>The publisher may send; media events follow.</summary>
    public void AcceptPublish(IBufferWriter<byte> reply)
    {
        if (_role != Role.PublishPending || IsClosed)
        {
            return;
        }

        _role = Role.Publishing;
        _link.Pardon(_nowMicros);
        if (_isFmle)
        {
            _commands.SendInfo(reply, 0, "onFCPublish", 0, "status", "NetStream.Publish.Start", "stream is published");
        }

        _commands.SendStatus(reply, _stream, "status", "NetStream.Publish.Start", "stream is published");
    }

    /// <param name="code">NetStream.Publish.BadName, NetStream.Publish.Denied or NetConnection.Connect.Rejected.</param>
    public void RejectPublish(IBufferWriter<byte> reply, string code, string description)
    {
        if (_role == Role.PublishPending && !IsClosed)
        {
            _commands.SendStatus(reply, _stream, "error", code, description);
            ToIdle();
        }
    }

    /// <summary>Ends a running publish from this side; the client may publish again.</summary>
    /// <param name="level">status or error.</param>
    public void EndPublish(IBufferWriter<byte> reply, string code, string description, string level = "status")
    {
        if (_role is Role.Publishing or Role.PublishPending && !IsClosed)
        {
            _commands.SendStatus(reply, _stream, level, code, description);
            ToIdle();
        }
    }

    /// <summary>Media may follow on <see cref="MessageStreamId"/> (7.2.2.1).</summary>
    public void AcceptPlay(IBufferWriter<byte> reply)
    {
        if (_role != Role.PlayPending || IsClosed)
        {
            return;
        }

        _role = Role.Playing;
        _link.Writer.WriteUserControl(reply, RtmpUserControl.StreamBegin, _stream);
        if (_isReset)
        {
            _commands.SendStatus(reply, _stream, "status", "NetStream.Play.Reset", "playing and resetting stream");
        }

        _commands.SendStatus(reply, _stream, "status", "NetStream.Play.Start", "started playing stream");

        var access = _commands.BeginData("|RtmpSampleAccess");
        access.Boolean(true);
        access.Boolean(true);
        _commands.SendData(reply, _stream);

        if (!_options.SendsDataStart)
        {
            return;
        }

        var start = _commands.BeginData("onStatus");
        start.StartObject();
        start.Member("code", "NetStream.Data.Start");
        start.EndObject();
        _commands.SendData(reply, _stream);
    }

    /// <param name="code">NetStream.Play.StreamNotFound, NetStream.Play.Failed, …</param>
    public void RejectPlay(IBufferWriter<byte> reply, string code, string description)
    {
        if (_role == Role.PlayPending && !IsClosed)
        {
            _commands.SendStatus(reply, _stream, "error", code, description);
            ToIdle();
        }
    }

    /// <summary>The stream ended: StreamEOF, then the status.</summary>
    /// <param name="code">NetStream.Play.UnpublishNotify or NetStream.Play.Stop.</param>
    public void EndPlay(IBufferWriter<byte> reply, string code, string description)
    {
        if (_role is Role.Playing or Role.PlayPending && !IsClosed)
        {
            _link.Writer.WriteUserControl(reply, RtmpUserControl.StreamEof, _stream);
            _commands.SendStatus(reply, _stream, "status", code, description);
            ToIdle();
        }
    }

    /// <summary>Tells a player about its stream without ending the play: NetStream.Play.UnpublishNotify, NetStream.Play.PublishNotify.</summary>
    public void NotifyPlay(IBufferWriter<byte> reply, string code, string description)
    {
        if (_role == Role.Playing && !IsClosed)
        {
            _commands.SendStatus(reply, _stream, "status", code, description);
        }
    }

    /// <summary>
    /// Asks the client to connect again, elsewhere if <paramref name="tcUrl"/> is given (Enhanced RTMP v2, "Reconnect Request"). False
    /// when the client did not say that it can.
    /// </summary>
    public bool RequestReconnect(IBufferWriter<byte> reply, string? tcUrl, string description)
    {
        if (IsClosed || _isConnectPending || Connect is not { Capabilities.Reconnect: true })
        {
            return false;
        }

        var amf = _commands.Begin("onStatus", 0);
        amf.Null();
        amf.StartObject();
        amf.Member("level", "status");
        amf.Member("code", "NetConnection.Connect.ReconnectRequest");
        amf.Member("description", description);
        if (tcUrl is not null)
        {
            amf.Member("tcUrl", tcUrl);
        }

        amf.EndObject();
        _commands.Send(reply, 0);
        return true;
    }
}
