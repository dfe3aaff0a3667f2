using System.Globalization;
using System.Text;
using Millrace.Node.Memory;
using Millrace.Node.Sessions;
using Millrace.Node.Shards;
using Millrace.Streams;

namespace Millrace.Node.Metrics;

/// <summary>
/// /metrics in Prometheus text format 0.0.4, written from the state itself at each scrape. Labels are bounded: protocols,
/// roles, memory uses, shards, and apps up to <see cref="TrafficZones.MaxApps"/>; never names of streams or viewers.
/// </summary>
internal sealed class PrometheusText(NodeContext node, Shard[] shards, ConnectionCounts connections, MappedBlockPool pool)
{
    private readonly ClusterMetrics _cluster = new(node);
    private readonly AccessMetrics _access = new(node);

    public string Write()
    {
        var text = new StringBuilder(4096);
        WriteStreams(text);
        WriteSessions(text);
        WriteTraffic(text);
        _cluster.Write(text);
        _access.Write(text);
        WriteMemory(text);
        WriteShards(text);
        return text.ToString();
    }

    private void WriteStreams(StringBuilder text)
    {
        int live = 0, grace = 0, idle = 0;
        foreach (var stream in node.Registry.Streams)
        {
            _ = stream.State switch
            {
                StreamState.Live => live++,
                StreamState.Grace => grace++,
                _ => idle++,
            };
        }

        Family(text, "millrace_streams", "gauge", "Streams by state");
        Sample(text, "millrace_streams", "state=\"live\"", live);
        Sample(text, "millrace_streams", "state=\"grace\"", grace);
        Sample(text, "millrace_streams", "state=\"idle\"", idle);
        Single(text, "media_server_active_streams", "gauge", "Live streams", live);
    }

    private void WriteSessions(StringBuilder text)
    {
        var counts = new SortedDictionary<string, (long Count, long In, long Out, long Skips)>(StringComparer.Ordinal);
        foreach (var session in node.Sessions.All)
        {
            var key = $"protocol=\"{session.Protocol}\",role=\"{session.RoleName}\"";
            var (count, bytesIn, bytesOut, skips) = counts.GetValueOrDefault(key);
            var traffic = session.Traffic;
            counts[key] = (count + 1, bytesIn + (traffic?.BytesIn ?? 0), bytesOut + (traffic?.BytesOut ?? 0), skips + (traffic?.Skips ?? 0));
        }

        Family(text, "millrace_sessions", "gauge", "Open sessions");
        foreach (var (key, value) in counts)
            Sample(text, "millrace_sessions", key, value.Count);
        Family(text, "millrace_session_skips", "gauge", "Jumps to a newer key frame of the sessions that are open");
        foreach (var (key, value) in counts)
            Sample(text, "millrace_session_skips", key, value.Skips);
        Family(text, "millrace_hls_viewers", "gauge", "Who asked for HLS within the last 18 s, by form");
        Sample(text, "millrace_hls_viewers", "format=\"ll-hls\"", node.HlsAudience.Count(TrafficFormat.LlHls));
        Sample(text, "millrace_hls_viewers", "format=\"ts-hls\"", node.HlsAudience.Count(TrafficFormat.TsHls));
        Single(text, "millrace_hls_waiting_requests", "gauge", "HLS requests that wait for something to be published", node.HlsAudience.Waiting);
        Single(text, "millrace_sessions_opened_total", "counter", "Sessions that published or played", node.Sessions.Opened);
        Single(text, "millrace_sessions_fruitless_total", "counter", "Connections that ended before they published or played", node.Sessions.Fruitless);
        Single(text, "millrace_connections", "gauge", "Open connections of the media listeners", connections.Total);
        Single(text, "millrace_connections_refused_total", "counter", "Connections over a limit", connections.Refused);
    }

    private void WriteTraffic(StringBuilder text)
    {
        node.Sessions.Settle();
        var rows = node.Traffic.Read();
        Family(text, "millrace_requests_total", "counter", "Answers by class of status; of a session in RTMP too");
        foreach (var row in rows)
        {
            var totals = row.Totals;
            Answers(row, "1xx", totals.Informational);
            Answers(row, "2xx", totals.Success);
            Answers(row, "3xx", totals.Redirection);
            Answers(row, "4xx", totals.ClientError);
            Answers(row, "5xx", totals.ServerError);
        }

        Family(text, "millrace_traffic_bytes_total", "counter", "Bytes of requests and answers, streams included as they go");
        foreach (var row in rows)
        {
            Sample(text, "millrace_traffic_bytes_total", Label(row) + ",direction=\"in\"", row.Totals.BytesIn);
            Sample(text, "millrace_traffic_bytes_total", Label(row) + ",direction=\"out\"", row.Totals.BytesOut);
        }

        Family(text, "millrace_request_seconds_total", "counter", "Time until answers were complete; until they began for streams");
        foreach (var row in rows)
            Sample(text, "millrace_request_seconds_total", Label(row), row.Totals.Micros / 1e6);

        void Answers(TrafficRow row, string status, long count)
        {
            if (count > 0)
                Sample(text, "millrace_requests_total", $"{Label(row)},status=\"{status}\"", count);
        }
    }

    private void WriteMemory(StringBuilder text)
    {
        var budget = node.Registry.Resources.Budget;
        Family(text, "millrace_media_memory_bytes", "gauge", "Media memory in use, by holder");
        foreach (var account in budget.Accounts)
            Sample(text, "millrace_media_memory_bytes", $"use=\"{account.Use.ToString().ToLowerInvariant()}\"", account.Used);
        Single(text, "millrace_media_memory_limit_bytes", "gauge", "memory.media", budget.Limit);
        Single(text, "millrace_media_memory_mapped_bytes", "gauge", "Mapped for blocks, in use or free", pool.MappedBytes);
        Single(text, "millrace_managed_heap_bytes", "gauge", "Managed heap after the last collection", GC.GetGCMemoryInfo().HeapSizeBytes);
        Single(text, "millrace_managed_allocated_bytes_total", "counter", "Allocated on the managed heap since the start", GC.GetTotalAllocatedBytes());
        Single(text, "process_resident_memory_bytes", "gauge", "Resident set", Environment.WorkingSet);
        Single(text, "process_cpu_seconds_total", "counter", "User and system time", Environment.CpuUsage.TotalTime.TotalSeconds);
    }

    private void WriteShards(StringBuilder text)
    {
        Family(text, "millrace_shard_connections", "gauge", "Connections by shard");
        foreach (var shard in shards)
            Sample(text, "millrace_shard_connections", Label(shard), shard.ConnectionCount);
        Family(text, "millrace_shard_late_passes_total", "counter", "Send passes that were through a merge window too late");
        foreach (var shard in shards)
            Sample(text, "millrace_shard_late_passes_total", Label(shard), shard.LatePasses);
        Family(text, "millrace_shard_window_factor", "gauge", "What merge windows are stretched by; above 1 the shard is at its limit");
        foreach (var shard in shards)
            Sample(text, "millrace_shard_window_factor", Label(shard), shard.Pacer.Factor);
        Family(text, "millrace_shard_faults_total", "counter", "Connections ended by a fault of the server");
        foreach (var shard in shards)
            Sample(text, "millrace_shard_faults_total", Label(shard), shard.Faults);
        Family(text, "millrace_shard_allocated_bytes_total", "counter", "Managed bytes allocated by the shard's thread");
        foreach (var shard in shards)
            Sample(text, "millrace_shard_allocated_bytes_total", Label(shard), shard.AllocatedBytes);
    }

    private static string Label(TrafficRow row) =>
        $"vhost=\"{Escape(row.Vhost)}\",app=\"{Escape(row.App)}\",format=\"{TrafficFormats.NameOf(row.Format)}\"";

    /// <summary>Of a label's value (text format 0.0.4).</summary>
    internal static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Label(Shard shard) => string.Create(CultureInfo.InvariantCulture, $"shard=\"{shard.Number}\"");

    internal static void Single(StringBuilder text, string name, string type, string help, double value)
    {
        Family(text, name, type, help);
        text.Append(name).Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    internal static void Family(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    internal static void Sample(StringBuilder text, string name, string labels, double value) =>
        text.Append(name).Append('{').Append(labels).Append("} ").Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
}
