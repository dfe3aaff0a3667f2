using System.Text;
using Millrace.Conformance.Record;
using Millrace.Conformance.Rules;

namespace Millrace.Conformance.Crawl;

/// <summary>What was seen and how each rule judges it.</summary>
internal sealed record CrawlerReport(History History, IReadOnlyList<RuleResult> Results)
{
    public bool Failed => Results.Any(result => result.Verdict == Verdict.Fail);

    /// <summary>The rules that found a violation, with their evidence.</summary>
    public IEnumerable<RuleResult> Failures => Results.Where(result => result.Verdict == Verdict.Fail);

    public RuleResult this[string id] => Results.Single(result => result.Id == id);

    /// <summary>Number, requirement, verdict, evidence: a line each.</summary>
    public string ToTable()
    {
        var table = new StringBuilder();
        var title = Results.Max(result => result.Title.Length);
        foreach (var result in Results)
        {
            var verdict = result.Verdict switch { Verdict.Pass => "pass", Verdict.Fail => "FAIL", _ => "not seen" };
            table.Append(result.Id.PadRight(4)).Append(result.Title.PadRight(title + 2)).Append(verdict.PadRight(10)).Append(result.Evidence).Append('\n');
        }

        var versions = History.Renditions.Sum(rendition => rendition.Versions.Count());
        var parts = History.Renditions.Sum(rendition => rendition.Parts.Count);
        var segments = History.Renditions.Sum(rendition => rendition.Segments.Count);
        table.Append($"{History.Address}: {History.Length.TotalSeconds:F0} s, {History.Renditions.Count} playlists in {versions} versions, ");
        table.Append($"{parts} parts, {segments} segments, {History.Probes.Count} probes; ");
        table.Append($"{Results.Count(r => r.Verdict == Verdict.Pass)} pass, {Failures.Count()} FAIL, {Results.Count(r => r.Verdict == Verdict.NotSeen)} not seen\n");
        return table.ToString();
    }
}
