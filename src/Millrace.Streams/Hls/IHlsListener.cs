namespace Millrace.Streams.Hls;

/// <summary>Is told that a packager has published a new <see cref="HlsPackager.Snapshot"/>; inside the stream's lock, so it must only take note.</summary>
internal interface IHlsListener
{
    void OnPublished();
}
