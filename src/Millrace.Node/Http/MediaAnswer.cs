using System.Globalization;
using Millrace.Node.Hls;
using Millrace.Node.Settings;

namespace Millrace.Node.Http;

/// <summary>
/// The answer to one request for a resource that is ready: status, header fields and body, after the encoding, the
/// conditions and the range of the request have been looked at. What a writer puts on the wire follows from it alone.
/// </summary>
internal sealed class MediaAnswer
{
    private readonly MediaResource _resource;
    private readonly string _contentRange = "";
    private readonly bool _isObject;

    public MediaAnswer(MediaResource resource, in MediaRequestFields request)
    {
        _resource = resource;
        Status = resource.Status;
        if (resource.Document is { } document)
        {
            var isGzip = request.AcceptsGzip;
            _resource = resource = resource with { ETag = $"\"{(isGzip ? document.GzipETag : document.ETag)}\"", Encoding = isGzip ? "gzip" : "" };
            Body = MediaBody.Of(isGzip ? document.Gzip : document.Bytes);
        }
        else
        {
            Body = Status == 200 ? resource.Body : MediaBody.Of(System.Text.Encoding.UTF8.GetBytes(resource.Explanation));
        }

        if (Status != 200)
            return;
        _isObject = resource.Encoding.Length == 0;
        if (request.HasAlready(resource.ETag))
        {
            Status = 304;
            Body = default;
        }
        else if (_isObject && request.TryGetRange(resource.ETag, Body.Length, out var from, out var count))
        {
            Status = count > 0 ? 206 : 416;
            _contentRange = count > 0
                ? string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{from + count - 1}/{Body.Length}")
                : string.Create(CultureInfo.InvariantCulture, $"bytes */{Body.Length}");
            Body = count > 0 ? Body.Slice(from, count) : default;
        }
    }

    public int Status { get; }

    public MediaBody Body { get; }

    /// <summary>Header fields but for framing and connection.</summary>
    public void AddHeaders(NodeSettings settings, Action<string, string> add)
    {
        _resource.AddHeaders(settings, add);
        if (_isObject)
            add("Accept-Ranges", "bytes");
        if (_contentRange.Length > 0)
            add("Content-Range", _contentRange);
    }
}
