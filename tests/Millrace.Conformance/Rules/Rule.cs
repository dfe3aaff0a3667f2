using Millrace.Conformance.Record;

namespace Millrace.Conformance.Rules;

/// <summary>One requirement: how a whole history is judged by it.</summary>
internal sealed record Rule(string Id, string Title, Action<History, Findings> Judge)
{
    public RuleResult Apply(History history)
    {
        var findings = new Findings();
        Judge(history, findings);
        return new(Id, Title, findings.Verdict, findings.Evidence());
    }
}

internal sealed record RuleResult(string Id, string Title, Verdict Verdict, string Evidence);
