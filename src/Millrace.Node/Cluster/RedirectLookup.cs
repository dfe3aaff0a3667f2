using Millrace.Node.Hls;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Cluster;

/// <summary>The question which node has a stream, and those who wait for the answer. Any thread.</summary>
internal sealed class RedirectLookup(StreamName name) : Completion
{
    private NodeStatus? _owner;

    public StreamName Name { get; } = name;

    /// <summary>The node's id; null while there is none.</summary>
    public string? Owner => _owner?.Id;

    public void Complete(NodeStatus? owner)
    {
        _owner = owner;
        Complete();
    }

    /// <summary>What an HTTP client asked for, at the node that has it; null where there is none to be sent to.</summary>
    /// <param name="protocol">How he came.</param>
    /// <param name="path">As it came, percent-encoded.</param>
    /// <param name="query">As it came, without its question mark.</param>
    public string? HttpUrl(ClientProtocol protocol, string path, string query)
    {
        var address = protocol == ClientProtocol.Https ? _owner?.Https : _owner?.Http;
        return string.IsNullOrEmpty(address) ? null : $"{address}{path}?{QueryWith(query)}";
    }

    /// <summary>What an RTMP client asked for, at the node that has it; null where there is none to be sent to.</summary>
    /// <param name="path">App and name as they came, without their queries.</param>
    /// <param name="query">All arguments.</param>
    public RtmpRedirect? RtmpUrl(string path, string query)
    {
        if (string.IsNullOrEmpty(_owner?.Rtmp))
            return null;
        var app = path[..Math.Max(0, path.LastIndexOf('/'))];
        var more = QueryWith(query);
        // Some go on with the first and the name that they have, others with the second.
        return new RtmpRedirect($"{_owner.Rtmp}/{app}?{more}", $"{_owner.Rtmp}/{path}?{more}");
    }

    /// <summary>The other node goes by another host name, which may have selected the vhost here.</summary>
    private string QueryWith(string query)
    {
        var kept = query.Length > 0 ? query + "&" : "";
        var vhost = VhostSettings.IsDefault(Name.Vhost) || kept.Contains("vhost=", StringComparison.Ordinal) ? "" : $"vhost={Uri.EscapeDataString(Name.Vhost)}&";
        return kept + vhost + Redirects.Marker;
    }
}

/// <summary>Where an RTMP client is sent.</summary>
/// <param name="TcUrl">What to connect to.</param>
/// <param name="Url">The stream.</param>
internal sealed record RtmpRedirect(string TcUrl, string Url);
