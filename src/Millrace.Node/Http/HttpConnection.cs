using System.Text;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Streams;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>
/// One socket of the media port. Its request is looked at without taking it; as long as it asks for media the connection
/// stays with the shard, else it is handed to Kestrel for good.
/// </summary>
internal sealed class HttpConnection : ShardConnection
{
    private readonly NodeContext _node;
    private readonly HandOverQueue _kestrel;
    private NodeSession? _session;
    private FlvPlayer? _player;
    private long _headDeadline = long.MaxValue;
    private int _peeked;
    private bool _hadRequest;

    public HttpConnection(ShardSocket socket, Shard shard, NodeContext node, HandOverQueue kestrel)
        : base(socket, shard, node.Spills)
    {
        _node = node;
        _kestrel = kestrel;
    }

    protected override long WriteTimeoutMicros => _node.Settings.Limits.WriteTimeout.ToMicros();

    public override void OnAdopted(long now) => ExpectRequest(now, _node.Settings.Limits.RequestTimeout);

    protected override void OnSignal(WireSignal signal, long now)
    {
        if (signal == WireSignal.Ended)
            _player?.OnEnded(now);
        else if (signal == WireSignal.Unsupported)
            _player?.OnUnsupported(now);
    }

    public override void Farewell(string reason, bool mayReturn, long now)
    {
        if (_player is not null)
            _player.End(reason, now);
        else
            Close(reason);
    }

    /// <summary>Opens the session that logs and the API see; does nothing while it is open.</summary>
    public void OpenSession(string protocol, HttpRequestHead request, StreamName stream)
    {
        if (_session is not null)
            return;
        _session = _node.Sessions.Create(protocol, Socket.Remote);
        _session.Traffic = this;
        _session.Agent = NodeSession.Clean(request.Agent);
        _session.Kick = reason => Shard.Post(() => SayFarewell(reason, mayReturn: false));
        _session.Open(SessionRole.Player, stream);
    }

    /// <summary>The viewer has ended; its connection may go on.</summary>
    public void CloseSession(string reason)
    {
        _session?.Close(reason);
        _session = null;
    }

    /// <summary>The answer is out and the connection may ask again.</summary>
    public void ExpectNextRequest(long now)
    {
        _player = null;
        ExpectRequest(now, _node.Settings.Limits.IdleTimeout);
    }

    protected override void OnStarting(long now) => _player?.Start(now);

    protected override void OnReadable(long now)
    {
        if (_player is not null)
            _player.OnReadable(now);
        else
            LookAtRequest(now);
        if (!IsClosed)
            ArmBy(NextTimer(now));
    }

    /// <summary>Reads and drops what a viewer sends; false when nothing is left or the connection has gone.</summary>
    public int Take(byte[] buffer)
    {
        var received = Receive(buffer);
        if (received > 0)
            BytesIn += received;
        return received;
    }

    protected override void OnTimer(long now)
    {
        if (now >= _headDeadline)
            Close(_peeked > 0 ? "the request's head did not come in time" : "no request in time");
        else
            _player?.OnTimer(now);
    }

    protected override long NextTimer(long now) => Math.Min(_headDeadline, _player?.NextDeadline ?? long.MaxValue);

    protected override void OnClosed(string reason)
    {
        if (_session is null && (!_hadRequest || _peeked > 0))
            _session = _node.Sessions.Create("http", Socket.Remote);
        _session?.Close(reason);
    }

    private void ExpectRequest(long now, TimeSpan timeout)
    {
        _peeked = 0;
        _headDeadline = timeout > TimeSpan.Zero ? now + timeout.ToMicros() : long.MaxValue;
        ArmBy(_headDeadline);
    }

    private void LookAtRequest(long now)
    {
        var limit = (int)Math.Min(_node.Settings.Limits.RequestHeadBytes, Shard.ReceiveBuffer.Length);
        var seen = Receive(Shard.ReceiveBuffer, 0, Native.MsgPeek);
        if (seen <= 0)
            return;
        var bytes = Shard.ReceiveBuffer.AsSpan(0, seen);
        var length = HttpRequestHead.Measure(bytes);
        if (length < 0 && HasPeerEnded)
        {
            // Else this socket would be readable, with nothing new, until the deadline.
            Close("the peer closed the connection within a request's head");
            return;
        }

        if (length < 0 && seen < limit && HttpRequestHead.CanBePlain(bytes))
        {
            if (_peeked == 0)
                _headDeadline = Math.Min(_headDeadline, now + _node.Settings.Limits.RequestTimeout.ToMicros());
            // What was seen stays in the socket: be told when there is more, not that there is some.
            _peeked = seen;
            Native.SetOption(Descriptor, Native.SolSocket, Native.SoReceiveLowWater, seen + 1);
            return;
        }

        if (_peeked > 0)
            Native.SetOption(Descriptor, Native.SolSocket, Native.SoReceiveLowWater, 1);
        if (!HttpRequestHead.CanBeHttp(bytes))
        {
            Refuse(400, "not an HTTP request", now);
            return;
        }

        if (length < 0 && seen >= limit)
        {
            Refuse(431, $"a request head of more than {limit} bytes", now);
            return;
        }

        var request = length < 0 ? null : HttpRequestHead.Parse(bytes[..length]);
        _hadRequest = true;
        if (request is null || !IsOurs(request))
        {
            _kestrel.Add(HandOver());
            return;
        }

        TakeHead(request.Length);
        _headDeadline = long.MaxValue;
        _player = new FlvPlayer(this, _node, request);
        _player.Open(now);
    }

    /// <summary>Answers what is no request at all. The rest of it is not read, so the answer may be lost with the reset; the log has the reason.</summary>
    private void Refuse(int status, string reason, long now)
    {
        var answer = MediaResource.Refuse(status, reason);
        var head = answer.WriteHead(_node.Settings, keepsAlive: false);
        var body = Encoding.UTF8.GetBytes(answer.Explanation);
        _node.Traffic.Count(VhostSettings.DefaultName, TrafficFormat.Page, status, 0, head.Length + body.Length, 0);
        SendControl(head, now);
        SendControl(body, now);
        _hadRequest = false;
        Close(reason);
    }

    private static bool IsOurs(HttpRequestHead request) =>
        request is { HasBody: false, Method: "GET" or "HEAD" } && MediaResource.IsMedia(request.Path);

    /// <summary>Takes what was looked at off the socket: exactly the head, for what follows is the next request.</summary>
    private unsafe void TakeHead(int length)
    {
        fixed (byte* buffer = Shard.ReceiveBuffer)
            BytesIn += Native.Receive(Descriptor, buffer, (nuint)length, Native.MsgDontWait);
    }
}
