using Millrace.Node.Access;
using Millrace.Node.Http;
using Millrace.Streams;

namespace Millrace.Node.Hls;

/// <summary>
/// Whether the viewer of one HLS request may play what it turns out to be for. What playlists name carries no credentials, for they are the same
/// bytes for all: one who shows his in a playlist's query gets a cookie, which goes to all that belongs to the stream.
/// </summary>
/// <param name="papers">What he shows.</param>
internal sealed class HlsAccess(HttpPapers papers)
{
    private const string Public = "public";

    private static readonly MediaResource Pending = MediaResource.Refuse(503, "nobody has said in time whether that is allowed") with { IsPrivate = true };

    private AccessClaim? _claim;
    private AccessQuestion? _question;

    /// <summary>Who asks in the same words may get another cookie, or none: the answer is not for all of them.</summary>
    public bool IsPersonal => papers.IsPersonal;

    /// <summary>Null where he may; what he is answered, or what has to be waited for, where not.</summary>
    public MediaResource? Judge(NodeContext node, StreamName stream, long now)
    {
        if (node.Access.RuleOf(stream, AccessAction.Play) is not { } rule)
            return null;
        if (_claim?.Stream != stream)
            (_claim, _question) = (papers.ClaimFor(stream), null);
        // The answer that was waited for counts, also where it was not to be kept.
        var verdict = _question?.Verdict is { } answer ? AccessJudge.For(_claim!, answer) : node.Access.Judge(_claim!, rule, now, out _question);
        if (verdict is null)
            return Pending with { Asked = stream, Wait = new HlsWait(_question!.Waiters, HlsCondition.Started, node.Settings.Edge.AccessTimeout.ToMicros()) };
        if (verdict.IsAllowed)
            return null;
        node.Access.Counters.TurnedAway();
        return MediaResource.Refuse(verdict, stream);
    }

    /// <summary>
    /// What belongs to a protected stream says so to caches, and a playlist brings the cookie where it was the query that let him in: no other
    /// argument may take the place of a cookie that he has.
    /// </summary>
    public MediaResource Mark(NodeContext node, MediaResource resource, HlsRequest request, StreamName stream)
    {
        if (node.Access.RuleOf(stream, AccessAction.Play) is null)
            return resource;
        var policy = resource.CachePolicy;
        return resource with
        {
            IsPrivate = true,
            CachePolicy = policy.StartsWith(Public, StringComparison.Ordinal) ? "private" + policy[Public.Length..] : policy,
            Cookie = request.Target.CookiePath is { } path && papers.OfQueryFor(stream) is { Length: > 0 } shown ? AccessPapers.Cookie(stream, shown, path, papers.IsHttps) : "",
        };
    }
}
