using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Millrace.Node.Metrics;
using Millrace.Streams;

namespace Millrace.Node.Http;

/// <summary>
/// One request on Kestrel: what it is for, and the bytes of its answer on their way to Kestrel's own writer. Used again by
/// later requests.
/// </summary>
internal sealed class TrafficMeter : PipeWriter, IHttpResponseBodyFeature
{
    private IHttpResponseBodyFeature _body = null!;
    private PipeWriter _writer = null!;
    private Stream? _stream;

    /// <summary>Bytes of the answer's body so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>When the request came, monotonic microseconds.</summary>
    public long Started { get; private set; }

    public StreamName? Name { get; private set; }

    public TrafficFormat Format { get; private set; }

    /// <summary>The answer has been counted, as that of a stream which goes on for long.</summary>
    public bool IsCounted { get; set; }

    public PipeWriter Writer => this;

    public Stream Stream => _stream ??= AsStream(leaveOpen: true);

    public override bool CanGetUnflushedBytes => _writer.CanGetUnflushedBytes;

    public override long UnflushedBytes => _writer.UnflushedBytes;

    public void Begin(IHttpResponseBodyFeature body, long now)
    {
        (_body, _writer, Started) = (body, body.Writer, now);
        (Bytes, Name, Format, IsCounted) = (0, null, TrafficFormat.Page, false);
    }

    public void End() => (_body, _writer, Name) = (null!, null!, null);

    public void Set(StreamName? name, TrafficFormat format) => (Name, Format) = (name, format);

    public override void Advance(int bytes)
    {
        Bytes += bytes;
        _writer.Advance(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _writer.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _writer.GetSpan(sizeHint);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => _writer.FlushAsync(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        Bytes += source.Length;
        return _writer.WriteAsync(source, cancellationToken);
    }

    public override void CancelPendingFlush() => _writer.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => _writer.Complete(exception);

    public void DisableBuffering() => _body.DisableBuffering();

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        Bytes += count ?? (new FileInfo(path).Length - offset);
        return _body.SendFileAsync(path, offset, count, cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => _body.StartAsync(cancellationToken);

    public Task CompleteAsync() => _body.CompleteAsync();
}

/// <summary>Says what a request on Kestrel is for. A request of which nobody says so counts as the page's, for its vhost.</summary>
internal static class TrafficTag
{
    /// <param name="context">The request.</param>
    /// <param name="stream">What it asks for, live or not; null when it names no stream.</param>
    /// <param name="format">In which form.</param>
    public static void Set(HttpContext context, StreamName? stream, TrafficFormat format) => MeterOf(context)?.Set(stream, format);

    /// <summary>
    /// Counts the answer now, at its beginning: it is a stream, whose session (<see cref="Sessions.NodeSession"/>) adds the
    /// bytes as they go.
    /// </summary>
    public static void CountStream(HttpContext context, TrafficZones zones, int status)
    {
        if (MeterOf(context) is not { Name: { } name } meter)
            return;
        meter.IsCounted = true;
        zones.Count(name, meter.Format, status, 0, 0, NodeClock.Micros - meter.Started);
    }

    private static TrafficMeter? MeterOf(HttpContext context) => context.Features.Get<IHttpResponseBodyFeature>() as TrafficMeter;
}
