using Millrace.Streams;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>One start of a packager, and the requests that wait for it.</summary>
internal sealed class HlsStart(HlsStarts starts, LiveStream stream, HlsFormat format) : Completion, IThreadPoolWorkItem
{
    // Asked again, those who wait for one that failed would start the next at once: they wait for as long as they may.
    public void Execute() => starts.Run(stream, format, Complete);
}
