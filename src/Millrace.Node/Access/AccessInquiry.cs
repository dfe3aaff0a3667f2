using Millrace.Node.Cluster;
using Millrace.Node.Relay;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;

namespace Millrace.Node.Access;

/// <summary>
/// The way of one question through the origins: the first that can be reached decides, and its word is final. Foreign servers are asked by a
/// connect with what the client said in his, as SRS does (<c>token_traverse</c>). On the shard of <see cref="AccessInquiries"/>.
/// </summary>
internal sealed class AccessInquiry : ShardTimer, IRelayClient
{
    private readonly AccessInquiries _inquiries;
    private readonly NodeContext _node;
    private readonly AccessQuestion _question;
    private readonly RelayDialer _dialer;
    private List<OriginAddress> _origins = [];
    private OriginAddress? _current;
    private string _failure = "no node has said that it has the stream";
    private (AccessLink Link, uint Number)? _asked;
    private int _next;
    private bool _hasEntered;

    public AccessInquiry(AccessInquiries inquiries, NodeContext node, AccessQuestion question)
    {
        (_inquiries, _node, _question) = (inquiries, node, question);
        _dialer = new RelayDialer(node, inquiries.Shard, this, question.Path, question.Claim.Stream, () => question.Claim.Papers, isPublisher: false)
        {
            Introduction = question.Claim.Introduction ?? new RtmpIntroduction("", "", ""),
        };
    }

    public bool IsOver { get; private set; }

    private AccessClaim Claim => _question.Claim;

    public void Begin(long now)
    {
        _inquiries.Shard.Wheel.Arm(this, now + _node.Settings.Edge.AccessTimeout.ToMicros());
        _origins = [.. _node.Access.RuleOf(Claim.Stream, Claim.Action)?.Origins ?? []];
        if (Claim.Action == AccessAction.Play && _node.Upstreams.IsMapped)
            _ = LookUpAsync();
        else
            Walk(now);
    }

    public override void OnDeadline(long now) => Settle(AccessOutcome.Unavailable, "no origin has said in time whether that is allowed", 0, now);

    /// <summary>Another node has decided.</summary>
    public void OnVerdict(in RelayEvent verdict, long now)
    {
        if (IsOver)
            return;
        if (verdict.Status == 200)
            Settle(AccessOutcome.Allowed, "", verdict.Length * 1_000, now);
        else if (verdict.Status is (int)RelayRefusalCode.Denied or (int)RelayRefusalCode.Bad)
            Settle(AccessOutcome.Denied, verdict.Text!, 0, now);
        else
            GoOn(verdict.Text!, isDown: false, now);
    }

    /// <summary>The other node was not to be had.</summary>
    public void OnLinkFailed(string reason, long now)
    {
        if (!IsOver)
            GoOn(reason, isDown: true, now);
    }

    /// <summary>There is room for a connection to a foreign server.</summary>
    public void Connect()
    {
        if (!_inquiries.TryEnter(this))
            return;
        _hasEntered = true;
        _dialer.Dial(_current!);
    }

    public void OnReady(RelayConnection connection, long now)
    {
    }

    public void OnEvent(RelayConnection connection, in RelayEvent happened, long now)
    {
    }

    public void OnReady(ForeignConnection connection, long now)
    {
        if (!IsOver && connection == _dialer.Connection)
            Settle(AccessOutcome.Allowed, "", 0, now);
    }

    public void OnClosed(ShardConnection connection, string reason)
    {
        if (IsOver || !_dialer.Forget(connection))
            return;
        var now = NodeClock.Micros;
        if ((connection as ForeignConnection)?.Refusal is { Code: RelayRefusalCode.Denied } refusal)
            Settle(AccessOutcome.Denied, refusal.Reason, 0, now, connection is RtmpOriginConnection { HasHungUp: true });
        else if (!_dialer.TryFollow(connection))
            GoOn(reason, isDown: true, now);
    }

    public void OnUnreachable(RelayDialer dialer, string reason, long now)
    {
        if (!IsOver)
            GoOn(reason, isDown: true, now);
    }

    private async Task LookUpAsync()
    {
        var asked = _node.OriginMap!.FindAsync(Claim.Stream, _node.Stopping).AsTask();
        await ((Task)asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var url = asked.IsCompletedSuccessfully ? asked.Result.Url : null;
        _inquiries.Shard.Post(() =>
        {
            if (url is not null && OriginAddress.TryParseUrl(url) is { } mapped)
            {
                _origins.Remove(mapped);
                _origins.Insert(0, mapped);
            }

            if (!IsOver)
                Walk(NodeClock.Micros);
        });
    }

    /// <summary>Asks the next; those that were away a moment ago only where there is no other.</summary>
    private void Walk(long now)
    {
        if (_next == 0)
            _origins = [.. _origins.OrderBy(origin => _inquiries.IsDown(origin, now))];
        if (_origins.Count == 0 && IsOwn())
            Settle(AccessOutcome.Allowed, "", 0, now);
        else if (_next == _origins.Count)
            Settle(AccessOutcome.Unavailable, $"nobody can be asked whether that is allowed: {_failure}", 0, now);
        else
            Ask(_origins[_next++], now);
    }

    /// <summary>It is published here, and nobody is above this node. What is merely fetched goes on for a while when its origin has gone: no yes to who comes then.</summary>
    private bool IsOwn() => Claim.Action == AccessAction.Play && _node.Registry.Find(Claim.Stream) is { Holder.Info.IsFetched: false };

    private void Ask(OriginAddress origin, long now)
    {
        _current = origin;
        if (origin.Kind == OriginKind.Millrace && _inquiries.LinkTo(origin, _question.Path, Claim.Stream, now) is { } link)
            AskNode(link, now);
        else if (origin.Kind == OriginKind.Millrace)
            GoOn("too many nodes ask at the same moment", isDown: false, now);
        else if (origin.Kind == OriginKind.Rtmp)
            Connect();
        else
            GoOn($"{origin} cannot be asked", isDown: false, now);
    }

    private void AskNode(AccessLink link, long now)
    {
        if (link.Ask(this, Claim, now, out var flaw) is { } number)
            _asked = (link, number);
        else
            Settle(AccessOutcome.Denied, flaw!, 0, now);
    }

    private void GoOn(string reason, bool isDown, long now)
    {
        _failure = $"{_current}: {reason}";
        if (isDown)
            _inquiries.NoteDown(_current!, now);
        LeaveForeign();
        // Not from within another connection's turn, which has the shard's reply in hand.
        _inquiries.Shard.Post(() =>
        {
            if (!IsOver)
                Walk(NodeClock.Micros);
        });
    }

    private void Settle(AccessOutcome outcome, string reason, long lifetime, long now, bool isUnexplained = false)
    {
        if (IsOver)
            return;
        IsOver = true;
        _inquiries.Shard.Wheel.Disarm(this);
        _inquiries.Settle(_question, outcome, reason, lifetime, now, isUnexplained);
        _dialer.Stop("decided");
        _asked?.Link.Withdraw(_asked.Value.Number);
        LeaveForeign();
    }

    private void LeaveForeign()
    {
        if (!_hasEntered)
            return;
        _hasEntered = false;
        _inquiries.Leave();
    }
}
