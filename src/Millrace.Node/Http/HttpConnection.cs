using Millrace.Media;
using Millrace.Node.Access;
using Millrace.Node.Hls;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Streams;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>
/// One socket of the media port. Its request is looked at without taking it; as long as it asks for media the connection
/// stays with the shard, else it is handed to Kestrel for good. One request at a time: the next stays in the socket until the
/// answer is out.
/// </summary>
internal sealed partial class HttpConnection : ShardConnection
{
    private readonly HttpFront _front;
    private NodeSession? _session;
    private HttpPlayer? _player;
    private HlsPlayer? _hls;
    private long _headDeadline = long.MaxValue;
    private int _peeked;
    private bool _hadRequest;
    private string? _refusal;

    public HttpConnection(ShardSocket socket, Shard shard, HttpFront front)
        : base(socket, shard, front.Node.Spills)
    {
        _front = front;
        JoinCrowd();
    }

    protected override long WriteTimeoutMicros => Node.Settings.Limits.WriteTimeout.ToMicros();

    private NodeContext Node => _front.Node;

    public override void OnAdopted(long now) => ExpectRequest(now, Node.Settings.Limits.RequestTimeout);

    protected override void OnSignal(WireSignal signal, long now)
    {
        _player?.OnSignal(signal, now);
        ArmBy(NextTimer(now));
    }

    public override void Farewell(string reason, bool mayReturn, long now)
    {
        EndAfterAnswer();
        if (IsAnswering)
            return;
        if (_player is not null)
            _player.End(reason, now);
        else
            Close(reason);
    }

    public bool IsServedBy(HttpPlayer player) => _player == player && !IsClosed;

    /// <summary>Opens the session that logs and the API see; does nothing while it is open.</summary>
    public void OpenSession(string protocol, string agent, StreamName stream)
    {
        if (_session is not null)
            return;
        _session = Node.Sessions.Create(protocol, Socket.Remote);
        _session.Traffic = this;
        _session.Agent = PlainText.Clean(agent);
        _session.Kick = reason => Shard.Post(() => SayFarewell(reason, mayReturn: false));
        _session.Open(SessionRole.Player, stream);
    }

    /// <summary>The viewer has ended; its connection may go on.</summary>
    public void CloseSession(string reason)
    {
        _session?.Close(reason);
        _session = null;
    }

    protected override void OnStarting(long now) => _player?.Start(now);

    protected override void OnReleased(long now)
    {
        _player?.OnReleased(now);
        ArmBy(NextTimer(now));
    }

    protected override void OnReadable(long now)
    {
        if (IsAnswering)
            HoldNextRequest();
        else if (_player is not null)
            _player.OnReadable(now);
        else
            LookAtRequest(now);
        ArmBy(NextTimer(now));
    }

    /// <summary>What is due next may have changed.</summary>
    public void LookAtClock(long now) => ArmBy(NextTimer(now));

    /// <summary>Reads what a viewer sends. Returns as <see cref="ShardConnection.Receive"/> does.</summary>
    public int Take(Span<byte> buffer)
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
        else if (now >= _lookAgain)
            LookAtProgress(now);
        else
            _player?.OnTimer(now);
    }

    protected override long NextTimer(long now) =>
        Math.Min(Math.Min(_headDeadline, _lookAgain), _player?.NextDeadline ?? long.MaxValue);

    protected override void OnClosed(string reason)
    {
        _player?.OnClosed();
        ForgetAnswer();
        if (_session is null && (!_hadRequest || _peeked > 0 || _refusal is not null))
            _session = Node.Sessions.Create("http", Socket.Remote);
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
        var limit = (int)Math.Min(Node.Settings.Limits.RequestHeadBytes, Shard.ReceiveBuffer.Length);
        var seen = Receive(Shard.ReceiveBuffer.AsSpan(0, limit), Native.MsgPeek);
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
                _headDeadline = Math.Min(_headDeadline, now + Node.Settings.Limits.RequestTimeout.ToMicros());
            // What was seen stays in the socket: be told when there is more, not that there is some.
            _peeked = seen;
            WakeFor(seen + 1);
            return;
        }

        if (_peeked > 0)
            WakeFor(1);
        _peeked = 0;
        if (!HttpRequestHead.CanBeHttp(bytes))
            Refuse(400, "not an HTTP request", now);
        else if (length < 0 && seen >= limit)
            Refuse(431, $"a request head of more than {limit} bytes", now);
        else if (length < 0 || !HttpRequestHead.TryParse(bytes[..length], out var request) || !TryOpen(request, now))
            HandToKestrel();
    }

    /// <summary>False for what is not the shard's to answer.</summary>
    private bool TryOpen(in HttpRequestHead request, long now)
    {
        if (request.HasBody || !(request.IsGet || request.IsHead))
            return false;
        if (MediaResource.IsMedia(request.Path))
        {
            var player = new FlvPlayer(this, Node, FlvRequest.Of(request));
            if (TryBegin(request, player, now))
                player.Open(now);
            return true;
        }

        if (!HlsTarget.IsHls(request.Path))
            return false;
        var asked = _front.Requests.Get(request, now);
        var fields = MediaRequestFields.Of(request);
        var access = asked.IsOpen(Node.Access) ? null : new HlsAccess(HttpPapers.Of(request, "hls", Socket.Remote));
        var viewer = HlsAudience.ViewerOf(Socket.Remote.Address, request.Agent);
        _hls ??= new HlsPlayer(this, _front);
        if (TryBegin(request, _hls, now))
            _hls.Open(asked, access, fields, viewer, now);
        return true;
    }

    /// <summary>False when the peer has gone meanwhile; the connection is closed.</summary>
    private bool TryBegin(in HttpRequestHead request, HttpPlayer player, long now)
    {
        (_hadRequest, _headDeadline) = (true, long.MaxValue);
        if (!TryTakeHead(request.Length))
            return false;
        _player = player;
        BeginExchange(request, now);
        return true;
    }

    private void HandToKestrel()
    {
        _hadRequest = true;
        _front.Kestrel.Add(HandOver());
    }

    /// <summary>Answers what is no request at all.</summary>
    private void Refuse(int status, string reason, long now)
    {
        (_refusal, _headDeadline) = (reason, long.MaxValue);
        _exchange = new HttpExchange(IsHead: false, IsVersion11: true, KeepsAlive: false, 0, now, BytesOut);
        Answer(new MediaAnswer(MediaResource.Refuse(status, reason), MediaRequestFields.None), new TrafficSubject(null, VhostSettings.DefaultName, TrafficFormat.Page), now);
    }

    /// <summary>
    /// Takes what was looked at off the socket: exactly the head, for what follows is the next request. Were less taken, the rest would
    /// pass for one.
    /// </summary>
    private unsafe bool TryTakeHead(int length)
    {
        if (Native.Receive(Descriptor, null, (nuint)length, Native.MsgDontWait | Native.MsgTruncate) != length)
        {
            Close("the peer reset the connection");
            return false;
        }

        BytesIn += length;
        return true;
    }
}
