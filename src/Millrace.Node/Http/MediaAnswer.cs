using System.Buffers;
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
    private ReadyHead? _head;
    private readonly string _contentRange = "";
    private readonly bool _isObject;

    public MediaAnswer(MediaResource resource, in MediaRequestFields request)
    {
        _resource = Resource = resource;
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

        if (Status != 200 || IsStream)
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

    /// <summary>What it is the answer for.</summary>
    public MediaResource Resource { get; }

    /// <summary>Many requests get this very answer.</summary>
    public bool IsShared { get; init; }

    /// <summary>
    /// The answer with what its body lies in held until <see cref="Release"/>. A segment that goes while it is being looked
    /// at is missing.
    /// </summary>
    public MediaAnswer Hold() => Body.Segment is { } segment && !segment.TryPin()
        ? new MediaAnswer(HlsResolver.Gone with { Asked = Resource.Asked }, MediaRequestFields.None)
        : this;

    public void Release() => Body.Segment?.Unpin();

    public int Status { get; }

    public MediaBody Body { get; }

    /// <summary>The body is a live stream without a length; it is not in <see cref="Body"/>.</summary>
    public bool IsStream => _resource.Stream is not null;

    /// <summary>Header fields but for framing and connection.</summary>
    public void AddFields<T>(NodeSettings settings, ref T fields)
        where T : struct, IFieldSink
    {
        _resource.AddFields(settings, ref fields);
        if (_isObject)
            fields.Add("Accept-Ranges", "bytes");
        if (_contentRange.Length > 0)
            fields.Add("Content-Range", _contentRange);
    }

    /// <summary>
    /// Its head on a connection of HTTP/1.1 that goes on, for an answer that <see cref="IsShared"/>: written once for all who get it in
    /// the same second. For one thread.
    /// </summary>
    /// <param name="settings">For fields of all answers.</param>
    /// <param name="scratch">To write it in; empty before.</param>
    public byte[] SharedHead(NodeSettings settings, ArrayBufferWriter<byte> scratch)
    {
        var date = HttpAnswerHead.Date();
        if (_head is { } known && ReferenceEquals(known.Date, date))
            return known.Bytes;
        HttpAnswerHead.Write(scratch, this, settings, BodyFraming.Length, Persistence.Implied);
        _head = new ReadyHead(scratch.WrittenSpan.ToArray(), date);
        return _head.Bytes;
    }

    private sealed record ReadyHead(byte[] Bytes, byte[] Date);
}
