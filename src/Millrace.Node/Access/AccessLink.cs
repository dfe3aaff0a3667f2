using Millrace.Node.Relay;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;

namespace Millrace.Node.Access;

/// <summary>
/// One connection to another node by which all questions go that are for it, for as long as there are any. On the shard of
/// <see cref="AccessInquiries"/>.
/// </summary>
internal sealed class AccessLink : ShardTimer, IRelayClient
{
    /// <summary>Without a question for so long it is let go, microseconds.</summary>
    private const long IdleMicros = 30_000_000;

    /// <summary>Of questions that are on their way: less than a connection may hold for a peer who does not read.</summary>
    private const int WindowBytes = 48 * 1024;

    /// <summary>Of a request besides its texts.</summary>
    private const int FieldBytes = 64;

    private readonly AccessInquiries _inquiries;
    private readonly RelayDialer _dialer;
    private readonly Dictionary<uint, Question> _asked = [];
    private readonly Queue<uint> _unsent = [];
    private RelayConnection? _ready;
    private uint _last;
    private int _sentBytes;
    private bool _isOver;

    public AccessLink(AccessInquiries inquiries, NodeContext node, OriginAddress origin, IReadOnlyList<string> path, StreamName stream)
    {
        (_inquiries, Origin, Path) = (inquiries, origin, path);
        _dialer = new RelayDialer(node, inquiries.Shard, this, path, stream, static () => "", isPublisher: false);
        _dialer.Dial(origin);
    }

    public OriginAddress Origin { get; }

    public IReadOnlyList<string> Path { get; }

    /// <summary>No answer is waited for.</summary>
    public bool IsIdle => _asked.Count == 0;

    /// <summary>When the last question was put, monotonic microseconds.</summary>
    public long AskedAt { get; private set; }

    /// <summary>Another needs its place.</summary>
    public void LetGo(long now) => End("others ask", now);

    /// <summary>Puts a question; its number, or null where it cannot be put.</summary>
    /// <param name="inquiry">Who is told the answer.</param>
    /// <param name="claim">What it is about.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="flaw">Why it cannot.</param>
    public uint? Ask(AccessInquiry inquiry, AccessClaim claim, long now, out string? flaw)
    {
        AskedAt = now;
        _inquiries.Shard.Wheel.Arm(this, now + IdleMicros);
        var request = RequestOf(++_last, claim);
        flaw = request.Flaw;
        if (flaw is not null)
            return null;
        _asked[_last] = new Question(inquiry, request);
        _unsent.Enqueue(_last);
        var number = _last;
        Send(now);
        return number;
    }

    /// <summary>Nobody waits for that answer any more.</summary>
    public void Withdraw(uint number)
    {
        if (_asked.Remove(number, out var question) && question.IsSent)
            _sentBytes -= question.Bytes;
    }

    public override void OnDeadline(long now) => End("no question for a while", now);

    public void OnReady(RelayConnection connection, long now)
    {
        if (_isOver || connection != _dialer.Connection)
            return;
        _ready = connection;
        Send(now);
    }

    public void OnEvent(RelayConnection connection, in RelayEvent happened, long now)
    {
        if (happened.Kind != RelayEventKind.Verdict || !_asked.TryGetValue(happened.Id, out var question) || !question.IsSent)
            return;
        Withdraw(happened.Id);
        question.Inquiry.OnVerdict(happened, now);
        Send(now);
    }

    public void OnClosed(ShardConnection connection, string reason)
    {
        if (!_isOver && _dialer.Forget(connection))
            End(reason, NodeClock.Micros);
    }

    public void OnUnreachable(RelayDialer dialer, string reason, long now) => End(reason, now);

    private static RelayRequest RequestOf(uint number, AccessClaim claim) => new()
    {
        Kind = RelayRequestKind.Authorize,
        Action = claim.Action == AccessAction.Play ? "play" : "publish",
        Stream = claim.Stream.ToString(),
        Arguments = claim.Papers,
        Client = claim.Client,
        Protocol = claim.Protocol,
        Agent = claim.Agent,
        From = number,
    };

    /// <summary>As many as there is room for.</summary>
    private void Send(long now)
    {
        if (_isOver || _ready is not { IsEnding: false } connection)
            return;
        while (_unsent.TryPeek(out var number))
        {
            if (_asked.TryGetValue(number, out var question))
            {
                if (_sentBytes > 0 && _sentBytes + question.Bytes > WindowBytes)
                    break;
                _sentBytes += question.Bytes;
                question.IsSent = true;
                connection.Protocol.Request(connection.Shard.Reply, question.Request);
            }

            _unsent.Dequeue();
        }

        connection.SendReply(now);
    }

    /// <summary>Who has no answer yet asks elsewhere.</summary>
    private void End(string reason, long now)
    {
        if (_isOver)
            return;
        _isOver = true;
        _inquiries.Shard.Wheel.Disarm(this);
        _inquiries.Forget(this);
        _dialer.Stop(reason);
        var left = _asked.Values.ToArray();
        _asked.Clear();
        foreach (var question in left)
            question.Inquiry.OnLinkFailed(reason, now);
    }

    private sealed class Question(AccessInquiry inquiry, RelayRequest request)
    {
        public AccessInquiry Inquiry { get; } = inquiry;

        public RelayRequest Request { get; } = request;

        public int Bytes { get; } = FieldBytes + request.Stream.Length + request.Arguments.Length + request.Client.Length + request.Agent.Length;

        public bool IsSent { get; set; }
    }
}
