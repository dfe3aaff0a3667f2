using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Http;
using Millrace.Node.Metrics;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Hls;

/// <summary>
/// What an HLS request asks for, by its own words and the settings alone: whether any of it exists is the resolver's
/// matter. Requests of the same words share it, and with it the answer of the moment; for one thread.
/// </summary>
internal sealed class HlsRequest
{
    private readonly NodeSettings _settings;
    private bool? _isOpen;
    private MediaAnswer? _plain;
    private MediaAnswer? _zipped;

    private HlsRequest(NodeSettings settings, string host, string path, string query)
    {
        (_settings, Path, Query) = (settings, path, query);
        Format = HlsTarget.TrafficOf(path);
        Vhost = StreamAddress.VhostOf(settings, host);
        if (!HlsTarget.TryParse(path, out var target))
        {
            Refusal = HlsResolver.NotFound("there is no such file");
            return;
        }

        Target = target;
        if (!HlsDirectives.TryParse(query, out var directives, out var error))
        {
            Refusal = HlsResolver.Refuse(400, error);
            return;
        }

        Directives = directives;
        var streams = new List<StreamName>(2);
        foreach (var streamPath in target.StreamPaths())
        {
            if (StreamAddress.TryParseHttp(settings, host, streamPath, query, out var address, out error))
                streams.Add(address.Name);
        }

        Streams = [.. streams];
        if (streams.Count == 0)
            Refusal = HlsResolver.Refuse(400, error!);
    }

    /// <summary>The answer to a request that asks for nothing that can exist; null else.</summary>
    public MediaResource? Refusal { get; }

    public HlsTarget Target { get; } = null!;

    public HlsDirectives Directives { get; }

    /// <summary>How the client came.</summary>
    public ClientProtocol Protocol { get; init; } = ClientProtocol.Http;

    /// <summary>Percent-encoded.</summary>
    public string Path { get; }

    /// <summary>Without its question mark.</summary>
    public string Query { get; }

    /// <summary>In the order in which they are to be tried.</summary>
    public StreamName[] Streams { get; } = [];

    public string Vhost { get; }

    /// <summary>What the packager's snapshot of that serial number came to.</summary>
    public (long Snapshot, MediaResource? Resource) Latest { get; set; }

    public TrafficFormat Format { get; }

    /// <summary>Everybody may play whatever these words can mean: settings do not change.</summary>
    public bool IsOpen(AccessJudge access) => _isOpen ??= access.IsPlayOpen || FindOpen(access);

    /// <summary>The answer to a request of these words; one that names no range and no condition shares it with all others.</summary>
    public MediaAnswer Answer(MediaResource resource, in MediaRequestFields fields)
    {
        if (fields.HasChoice || !ReferenceEquals(Latest.Resource, resource))
            return new MediaAnswer(resource, fields);
        ref var answer = ref fields.AcceptsGzip ? ref _zipped : ref _plain;
        if (answer is null || !ReferenceEquals(answer.Resource, resource))
            answer = new MediaAnswer(resource, fields) { IsShared = true };
        return answer;
    }

    private bool FindOpen(AccessJudge access) => Array.TrueForAll(Streams, name => IsOpen(access, name));

    /// <summary>A key can be that of a namesake in another vhost (<see cref="HlsResolver"/>).</summary>
    private bool IsOpen(AccessJudge access, StreamName name) => access.RuleOf(name, AccessAction.Play) is null
        && (Target.Key.Length == 0 || _settings.Vhosts.All(vhost => access.RuleOf(name with { Vhost = vhost.Name }, AccessAction.Play) is null));

    /// <param name="settings">For vhosts and apps.</param>
    /// <param name="host">Host header: selects the vhost.</param>
    /// <param name="path">Percent-encoded.</param>
    /// <param name="query">Without its question mark.</param>
    /// <param name="protocol">How the client came.</param>
    public static HlsRequest Parse(NodeSettings settings, string host, string path, string query, ClientProtocol protocol = ClientProtocol.Http) =>
        new(settings, host, path, query) { Protocol = protocol };
}
