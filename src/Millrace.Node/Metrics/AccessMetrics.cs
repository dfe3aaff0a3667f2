using System.Text;
using Millrace.Node.Access;

namespace Millrace.Node.Metrics;

/// <summary>The part of /metrics that is about who may play and publish.</summary>
internal sealed class AccessMetrics(NodeContext node)
{
    public void Write(StringBuilder text)
    {
        var access = node.Access;
        var counters = access.Counters;
        PrometheusText.Single(text, "millrace_access_refused_total", "counter", "Viewers, publishers and HLS requests that were turned away, and viewers let go", counters.Refused);
        PrometheusText.Family(text, "millrace_access_questions_total", "counter", "Questions to origins whether somebody may play or publish, by what came of them");
        PrometheusText.Sample(text, "millrace_access_questions_total", "verdict=\"allowed\"", counters.AskedWith(AccessOutcome.Allowed));
        PrometheusText.Sample(text, "millrace_access_questions_total", "verdict=\"denied\"", counters.AskedWith(AccessOutcome.Denied));
        PrometheusText.Sample(text, "millrace_access_questions_total", "verdict=\"unavailable\"", counters.AskedWith(AccessOutcome.Unavailable));
        PrometheusText.Single(text, "millrace_access_cache_hits_total", "counter", "Claims that were decided by what an origin had said before", counters.FromCache);
        PrometheusText.Single(text, "millrace_access_cached_verdicts", "gauge", "Verdicts of origins that are kept", access.Verdicts.Count);
        PrometheusText.Single(text, "millrace_access_pending_questions", "gauge", "Questions that origins have not answered yet", access.Verdicts.Pending);
    }
}
