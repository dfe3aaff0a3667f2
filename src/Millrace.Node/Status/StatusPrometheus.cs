using System.Globalization;
using System.Text;
using Millrace.Node.Metrics;

namespace Millrace.Node.Status;

/// <summary>The status in Prometheus text format 0.0.4 under the names of nginx-module-vts. Our own names are in the API's /metrics.</summary>
internal static class StatusPrometheus
{
    public static string Write(StatusReply status)
    {
        var text = new StringBuilder(4096);
        WriteMain(text, status);
        WriteZones(text, "nginx_vts_server", [.. status.ServerZones.Select(zone => (Label("host", zone.Key), zone.Value))]);
        var filters = status.FilterZones.SelectMany(filter => filter.Value.Select(zone => ($"{Label("filter", filter.Key)},{Label("filter_name", zone.Key)}", zone.Value)));
        WriteZones(text, "nginx_vts_filter", [.. filters]);
        return text.ToString();
    }

    private static void WriteMain(StringBuilder text, StatusReply status)
    {
        Family(text, "nginx_vts_info", "gauge", "Name and version of this server");
        Sample(text, "nginx_vts_info", $"{Label("hostname", status.HostName)},{Label("module_version", status.ModuleVersion)},{Label("version", status.NginxVersion)}", 1);
        Family(text, "nginx_vts_start_time_seconds", "gauge", "When it started");
        text.Append(CultureInfo.InvariantCulture, $"nginx_vts_start_time_seconds {status.LoadMsec / 1e3}\n");
        Family(text, "nginx_vts_main_connections", "gauge", "Connections of the media listeners");
        var connections = status.Connections;
        foreach (var (state, count) in ((string, long)[])
            [
                ("accepted", connections.Accepted), ("active", connections.Active), ("handled", connections.Handled),
                ("reading", connections.Reading), ("requests", connections.Requests), ("waiting", connections.Waiting),
                ("writing", connections.Writing),
            ])
            Sample(text, "nginx_vts_main_connections", Label("status", state), count);
        Family(text, "nginx_vts_main_shm_usage_bytes", "gauge", "Media memory, and zones");
        Sample(text, "nginx_vts_main_shm_usage_bytes", Label("shared", "max_size"), status.SharedZones.MaxSize);
        Sample(text, "nginx_vts_main_shm_usage_bytes", Label("shared", "used_size"), status.SharedZones.UsedSize);
        Sample(text, "nginx_vts_main_shm_usage_bytes", Label("shared", "used_node"), status.SharedZones.UsedNode);
    }

    private static void WriteZones(StringBuilder text, string name, (string Labels, StatusZone Zone)[] zones)
    {
        Family(text, $"{name}_bytes_total", "counter", "Bytes of requests and answers");
        foreach (var (labels, zone) in zones)
        {
            Sample(text, $"{name}_bytes_total", $"{labels},direction=\"in\"", zone.InBytes);
            Sample(text, $"{name}_bytes_total", $"{labels},direction=\"out\"", zone.OutBytes);
        }

        Family(text, $"{name}_requests_total", "counter", "Answers by class of status");
        foreach (var (labels, zone) in zones)
        {
            Sample(text, $"{name}_requests_total", $"{labels},code=\"1xx\"", zone.Responses.Informational);
            Sample(text, $"{name}_requests_total", $"{labels},code=\"2xx\"", zone.Responses.Success);
            Sample(text, $"{name}_requests_total", $"{labels},code=\"3xx\"", zone.Responses.Redirection);
            Sample(text, $"{name}_requests_total", $"{labels},code=\"4xx\"", zone.Responses.ClientError);
            Sample(text, $"{name}_requests_total", $"{labels},code=\"5xx\"", zone.Responses.ServerError);
        }

        Family(text, $"{name}_request_seconds_total", "counter", "Time of all requests together");
        foreach (var (labels, zone) in zones)
            Sample(text, $"{name}_request_seconds_total", labels, zone.RequestMsecCounter / 1e3);
        Family(text, $"{name}_request_seconds", "gauge", "Time of a request on average");
        foreach (var (labels, zone) in zones)
            Sample(text, $"{name}_request_seconds", labels, zone.RequestMsec / 1e3);
    }

    private static string Label(string name, string value) => $"{name}=\"{PrometheusText.Escape(value)}\"";

    private static void Family(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private static void Sample(StringBuilder text, string name, string labels, double value) =>
        text.Append(name).Append('{').Append(labels).Append("} ").Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
}
