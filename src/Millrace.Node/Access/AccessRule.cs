using Millrace.Node.Relay;
using Millrace.Node.Settings;

namespace Millrace.Node.Access;

/// <summary>What this node's settings say about playing or publishing some streams.</summary>
/// <param name="Tokens">One of which has to be shown; empty: none.</param>
/// <param name="IsTraversed">The origin decides too.</param>
/// <param name="Origins">Which are asked then, in this order.</param>
internal sealed record AccessRule(IReadOnlyList<Secret> Tokens, bool IsTraversed, IReadOnlyList<OriginAddress> Origins)
{
    /// <summary>By this node's own tokens; takes the same time for every wrong one of the same length.</summary>
    public AccessVerdict Judge(string papers)
    {
        if (Tokens.Count == 0)
            return AccessVerdict.Open;
        var (token, key) = AccessPapers.TokensOf(papers);
        var isKnown = false;
        foreach (var own in Tokens)
            isKnown |= own.Matches(token) | own.Matches(key);
        return isKnown ? AccessVerdict.Open : token.Length + key.Length == 0 ? AccessVerdict.Missing : AccessVerdict.Wrong;
    }
}
