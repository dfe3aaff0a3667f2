using Millrace.Node.Hls;

namespace Millrace.Node.Http;

/// <summary>What the HTTP connections of one shard share. Used on that shard's thread only.</summary>
internal sealed class HttpFront(NodeContext node, HandOverQueue kestrel)
{
    public NodeContext Node { get; } = node;

    public HandOverQueue Kestrel { get; } = kestrel;

    public HlsResolver Resolver { get; } = new(node);

    public HlsRequestCache Requests { get; } = new(node.Settings);
}
