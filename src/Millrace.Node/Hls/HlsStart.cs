using Millrace.Streams;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>One start of a packager, and the requests that wait for it.</summary>
internal sealed class HlsStart : IThreadPoolWorkItem
{
    private readonly HlsStarts _starts;
    private readonly LiveStream _stream;
    private readonly HlsFormat _format;
    private readonly Completion _completion = new();

    public HlsStart(HlsStarts starts, LiveStream stream, HlsFormat format)
    {
        (_starts, _stream, _format) = (starts, stream, format);
        Waiters = new HlsWaiters(_ => _completion.IsThrough);
    }

    /// <summary>Whatever they wait for has happened when the start is through.</summary>
    public HlsWaiters Waiters { get; }

    /// <summary>Runs it when the start is through, at once where it is; any thread.</summary>
    public void Then(Action action) => _completion.Then(action);

    // Asked again, those who wait for one that failed would start the next at once: they wait for as long as they may.
    public void Execute() => _starts.Run(_stream, _format, Complete);

    private void Complete()
    {
        _completion.Complete();
        Waiters.OnPublished();
    }
}
