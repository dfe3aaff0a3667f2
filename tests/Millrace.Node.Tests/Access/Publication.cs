using Millrace.Node.Tests.Harness;
using Millrace.Streams;

namespace Millrace.Node.Tests.Access;

/// <summary>A stream live/x that goes on until it is disposed.</summary>
internal sealed class Publication(RtmpPeer publisher) : IAsyncDisposable
{
    private readonly NumberedSource _source = new(publisher);

    public RtmpPeer Publisher => publisher;

    public Task LiveAsync(TestNode node) =>
        Wait.Until(() => node.Node.Context.Registry.Find(new StreamName("default", "live", "x")) is { IsWaiting: false }, "the stream is live");

    public ValueTask DisposeAsync()
    {
        _source.Dispose();
        return default;
    }
}
