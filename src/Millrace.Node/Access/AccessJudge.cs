using Millrace.Node.Relay;
using Millrace.Node.Shards;
using Millrace.Protocols.Relay;
using Millrace.Streams;

namespace Millrace.Node.Access;

/// <summary>
/// Who may play and publish: the one place that decides it, for all protocols. By this node's settings at once; where they leave it to the origin,
/// by what that says. Any thread.
/// </summary>
internal sealed class AccessJudge
{
    private readonly NodeContext _node;
    private readonly AccessRules _rules;

    public AccessJudge(NodeContext node)
    {
        _node = node;
        _rules = new AccessRules(node.Settings);
        Inquiries = new AccessInquiries(node, this);
        Verdicts = new AccessVerdicts(node.Settings.Edge, Inquiries.Begin);
    }

    /// <summary>Everybody may play everything: nothing needs to be looked at.</summary>
    public bool IsPlayOpen => _rules.IsPlayOpen;

    public AccessVerdicts Verdicts { get; }

    public AccessInquiries Inquiries { get; }

    public AccessCounters Counters => Verdicts.Counters;

    /// <summary>Null where everybody may.</summary>
    public AccessRule? RuleOf(StreamName stream, AccessAction action) => _rules.Find(stream, action);

    /// <summary>Publishing to an app as it was named, which can have a token of its own (<c>live/ID</c>).</summary>
    public AccessRule? RuleOf(StreamAddress address)
    {
        var rule = RuleOf(address.Name, AccessAction.Publish);
        return address.Publish.Token is { IsSet: true } token && rule?.Tokens.Contains(token) != true
            ? new AccessRule([.. rule?.Tokens ?? [], token], rule?.IsTraversed ?? false, rule?.Origins ?? [])
            : rule;
    }

    /// <summary>Decides; null where the origin has to be asked first.</summary>
    /// <param name="claim">What somebody wants.</param>
    /// <param name="rule">Of the stream; null: open.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="question">What is waited for.</param>
    /// <param name="path">The nodes below that ask.</param>
    public AccessVerdict? Judge(AccessClaim claim, AccessRule? rule, long now, out AccessQuestion? question, IReadOnlyList<string>? path = null)
    {
        question = null;
        var verdict = rule?.Judge(claim.Papers) ?? AccessVerdict.Open;
        if (!verdict.IsAllowed || rule is not { IsTraversed: true })
            return verdict;
        // The map says who has a stream, not who decides about a new one.
        if (claim.Action == AccessAction.Publish && rule.Origins.Count == 0)
            return rule.Tokens.Count > 0 ? verdict : AccessVerdict.Nobody;
        verdict = Verdicts.Find(claim, claim.KeyOf(IsIntroduced(rule)), path ?? [], now, out question);
        return verdict is null ? null : For(claim, verdict);
    }

    /// <summary>Foreign servers, which decide by how an RTMP client has introduced himself, are among those that are asked.</summary>
    private bool IsIntroduced(AccessRule rule) => _node.Upstreams.IsMapped || rule.Origins.Any(static origin => origin.Kind != OriginKind.Millrace);

    /// <summary>What the answer to a question means for a claim that waited for it.</summary>
    public static AccessVerdict For(AccessClaim claim, AccessVerdict verdict) =>
        verdict.Outcome == AccessOutcome.Denied && claim.Papers.Length == 0 ? verdict with { Outcome = AccessOutcome.Missing } : verdict;

    /// <summary>Another node asks, for a viewer or publisher of its own.</summary>
    /// <param name="stream">Which.</param>
    /// <param name="request">Its question.</param>
    /// <param name="path">The nodes below.</param>
    /// <param name="shard">Where it is answered.</param>
    /// <param name="answer">Called once, there: the verdict, and the time.</param>
    public void Answer(StreamName stream, RelayRequest request, IReadOnlyList<string> path, Shard shard, Action<AccessVerdict, long> answer)
    {
        var action = request.Action == "publish" ? AccessAction.Publish : AccessAction.Play;
        var claim = new AccessClaim(stream, action, AccessPapers.Of(StreamAddress.ArgumentsOf(request.Arguments)))
        {
            Client = request.Client,
            Protocol = request.Protocol,
            Agent = request.Agent,
        };
        var now = NodeClock.Micros;
        if (path.Count > RelayNode.MaxPath)
            answer(new AccessVerdict(AccessOutcome.Unavailable, $"a path of more than {RelayNode.MaxPath} nodes", now), now);
        else if (Judge(claim, RuleOf(stream, action), now, out var question, path) is { } verdict)
            answer(verdict, now);
        else
            question!.Then(() => shard.Post(() => answer(For(claim, question.Verdict!), NodeClock.Micros)));
    }
}
