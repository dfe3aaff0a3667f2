using System.Text;
using Millrace.Node.Api;
using Millrace.Node.Relay;
using Millrace.Node.Sessions;

namespace Millrace.Node.Metrics;

/// <summary>The part of /metrics that is about other nodes: sums over all streams, whose names are no labels.</summary>
internal sealed class ClusterMetrics(NodeContext node)
{
    public void Write(StringBuilder text)
    {
        WriteUpstreams(text);
        WriteRelay(text);
        if (node.OriginMap is not null)
            WriteMap(text);
    }

    private void WriteUpstreams(StringBuilder text)
    {
        long lags = 0, longest = 0, count = 0;
        foreach (var puller in node.Upstreams.All)
        {
            if (node.Registry.Find(puller.Name) is not { } stream || PathReport.LatencyOf(stream) is not { } lag)
                continue;
            (lags, longest, count) = (lags + lag, Math.Max(longest, lag), count + 1);
        }

        WriteStates(text, "millrace_relay_upstreams", "Streams that are fetched from other nodes, by state", node.Upstreams.All.Select(PathReport.StateOf));
        WriteStates(text, "millrace_relay_pushes", "Streams that are published here and sent to an origin, by state", node.Pushers.All.Select(PathReport.StateOf));
        WriteStates(text, "millrace_relay_forwards", "Streams that are forwarded, by state", node.Pushers.Forwards.Select(PathReport.StateOf));
        PrometheusText.Single(text, "millrace_relay_lag_max_seconds", "gauge", "Longest way of a unit from its authority to here, of the streams that it is known of", longest / 1e6);
        PrometheusText.Single(text, "millrace_relay_lag_sum_seconds", "gauge", "The same, the sum over those streams", lags / 1e6);
        PrometheusText.Single(text, "millrace_relay_lag_streams", "gauge", "How many streams those are", count);
    }

    private static void WriteStates(StringBuilder text, string name, string help, IEnumerable<string> streams)
    {
        var states = new SortedDictionary<string, int>(StringComparer.Ordinal) { ["live"] = 0, ["lost"] = 0, ["pending"] = 0 };
        foreach (var state in streams)
            states[state] = states.GetValueOrDefault(state) + 1;
        PrometheusText.Family(text, name, "gauge", help);
        foreach (var (state, count) in states)
            PrometheusText.Sample(text, name, $"state=\"{state}\"", count);
    }

    private void WriteRelay(StringBuilder text)
    {
        var counters = node.Upstreams.Counters;
        PrometheusText.Family(text, "millrace_relay_switches_total", "counter", "Times that a stream went on by another connection, fetched or sent");
        PrometheusText.Sample(text, "millrace_relay_switches_total", "direction=\"in\"", counters.Switches);
        PrometheusText.Sample(text, "millrace_relay_switches_total", "direction=\"out\"", node.Pushers.Switches);
        PrometheusText.Single(text, "millrace_relay_connects_total", "counter", "Attempts to connect to an origin", counters.Attempts);
        PrometheusText.Single(text, "millrace_relay_connect_failures_total", "counter", "Those that failed or ended too early; one by which an origin says that it does not have the stream has not failed", counters.Failures);
        PrometheusText.Single(text, "millrace_relay_missing_names", "gauge", "Names that no origin knew a moment ago", node.Upstreams.CountMissing(NodeClock.Micros));
        var downstreams = node.Sessions.All.Count(session => session is { Role: SessionRole.Relay, Traffic: RelayConnection { Target: null } });
        PrometheusText.Single(text, "millrace_relay_downstreams", "gauge", "Streams that other nodes take from this one", downstreams);
        PrometheusText.Family(text, "millrace_relay_fetches_total", "counter", "HLS objects asked for at an origin, by result");
        PrometheusText.Sample(text, "millrace_relay_fetches_total", "result=\"ok\"", node.HlsFetches.Brought);
        PrometheusText.Sample(text, "millrace_relay_fetches_total", "result=\"failed\"", node.HlsFetches.Failed);
        PrometheusText.Single(text, "millrace_relay_fetched_bytes_total", "counter", "Bytes of those that came", node.HlsFetches.Bytes);
    }

    private void WriteMap(StringBuilder text)
    {
        var state = node.OriginMap!.State;
        PrometheusText.Family(text, "millrace_origin_map_connected", "gauge", "1 where the origin map can be asked");
        PrometheusText.Sample(text, "millrace_origin_map_connected", $"kind=\"{state.Kind}\"", state.IsConnected ? 1 : 0);
        PrometheusText.Single(text, "millrace_origin_map_registered", "gauge", "Streams that this node has said to have", state.Registered);
        PrometheusText.Single(text, "millrace_origin_map_candidates", "gauge", "Those of them that another node, or nobody yet, stands in the map for", state.Candidates);
        PrometheusText.Single(text, "millrace_origin_map_lookups_total", "counter", "Look-ups", state.Lookups);
        PrometheusText.Single(text, "millrace_origin_map_misses_total", "counter", "Look-ups that found nothing", state.Misses);
        PrometheusText.Single(text, "millrace_origin_map_stale_total", "counter", "Look-ups answered with what was known last", state.Stale);
        PrometheusText.Single(text, "millrace_origin_map_failures_total", "counter", "What the map refused or did not answer", state.Failures);
    }
}
