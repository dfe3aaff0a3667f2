using System.Diagnostics;
using System.Reflection;
using Millrace.Node.Api;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Node.Shards;

namespace Millrace.Node.Status;

/// <summary>Makes the status of this moment.</summary>
internal sealed class StatusReport(NodeContext node, ConnectionCounts connections)
{
    private const string All = "*";

    /// <summary>There are no upstreams and no cache.</summary>
    private static readonly Dictionary<string, StatusZone> None = new(StringComparer.Ordinal);

    internal static readonly string Version =
        typeof(StatusReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    private static readonly long Started = new DateTimeOffset(Process.GetCurrentProcess().StartTime).ToUnixTimeMilliseconds();

    public StatusReply Make()
    {
        node.Sessions.Settle();
        var rows = node.Traffic.Read();
        var total = Sum(rows);
        var servers = new SortedDictionary<string, StatusZone>(StringComparer.Ordinal) { [All] = Of(total) };
        var filters = new SortedDictionary<string, IReadOnlyDictionary<string, StatusZone>>(StringComparer.Ordinal);
        foreach (var vhost in rows.GroupBy(row => row.Vhost, StringComparer.Ordinal))
        {
            servers[vhost.Key] = Of(Sum(vhost));
            filters[vhost.Key] = vhost.ToDictionary(ZoneNameOf, row => Of(row.Totals), StringComparer.Ordinal);
        }

        var budget = node.Registry.Resources.Budget;
        return new StatusReply(
            Environment.MachineName, Version, $"millrace/{Version}", Started, NodeClock.UnixMicros / 1_000, ConnectionsOf(total.Requests),
            new StatusShared("memory.media", budget.Limit, budget.Used, rows.Count), servers, filters,
            None, None, Streams());
    }

    private static string ZoneNameOf(TrafficRow row)
    {
        var format = TrafficFormats.NameOf(row.Format);
        return row.App.Length > 0 ? $"{row.App}::{format}" : format;
    }

    private static TrafficTotals Sum(IEnumerable<TrafficRow> rows)
    {
        var sum = default(TrafficTotals);
        foreach (var row in rows)
            sum += row.Totals;
        return sum;
    }

    private static StatusZone Of(TrafficTotals totals) => new(
        totals.Requests, totals.BytesIn, totals.BytesOut,
        new StatusResponses(totals.Informational, totals.Success, totals.Redirection, totals.ClientError, totals.ServerError),
        totals.Micros / 1_000, totals.Requests > 0 ? totals.Micros / 1_000 / totals.Requests : 0,
        StatusTimes.None, StatusBuckets.None, StatusOverflows.None);

    private StatusConnections ConnectionsOf(long requests)
    {
        long publishers = 0, players = 0;
        foreach (var session in node.Sessions.All)
        {
            if (session.Role == SessionRole.Publisher)
                publishers++;
            else
                players++;
        }

        // Several players may share one HTTP/2 connection.
        var active = connections.Total;
        return new StatusConnections(
            active, publishers, players, Math.Max(0, active - publishers - players),
            connections.Entered + connections.Refused, connections.Entered, requests);
    }

    private StreamReply[] Streams()
    {
        var sessions = node.Sessions.ByStream();
        return [.. node.Registry.Streams.Select(stream => StreamReport.Of(stream, sessions[stream.Name], node)).OrderBy(stream => stream.Name, StringComparer.Ordinal)];
    }
}
