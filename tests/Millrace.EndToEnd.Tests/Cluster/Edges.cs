using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Cluster;

/// <summary>Nodes that fetch what they are asked for.</summary>
internal static class Edges
{
    /// <summary>An edge of another node, which may be an edge itself.</summary>
    /// <param name="upstream">Whose streams it fetches.</param>
    /// <param name="settings">Of its section `edge`, indented.</param>
    /// <param name="more">Other sections.</param>
    public static Task<MillraceServer> StartAsync(MillraceServer upstream, string settings = "", string more = "") =>
        StartAsync(upstream.RelayPort, settings, more);

    /// <inheritdoc cref="StartAsync(MillraceServer, string, string)"/>
    /// <param name="relayPort">Of the node whose streams it fetches, or of a line to it.</param>
    public static Task<MillraceServer> StartAsync(int relayPort, string settings = "", string more = "") => MillraceServer.StartAsync($"""
        {(settings.Length > 0 ? "edge:\n" + settings : "")}
        vhosts:
          - name: default
            mode: remote
            origin: ["millrace://127.0.0.1:{relayPort}"]
        {more}
        """);
}
