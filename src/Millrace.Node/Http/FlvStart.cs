using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>The FLV file header that a viewer gets before its first tag.</summary>
internal static class FlvStart
{
    private const byte FinalBinary = 0x82;

    /// <summary>Says audio and video only where the Era has them in this form: players wait for what is announced.</summary>
    public static byte[] Write(Era? era, FlvForm form, WireFormat format)
    {
        var bytes = new byte[FlvFileHeader.Length];
        FlvFileHeader.Write(bytes, Has(era, TrackKind.Audio, form), Has(era, TrackKind.Video, form));
        return format switch
        {
            WireFormat.WsFlv => [FinalBinary, FlvFileHeader.Length, .. bytes],
            WireFormat.ChunkedFlv => [.. "d\r\n"u8, .. bytes, .. HttpChunk.End],
            _ => bytes,
        };
    }

    private static bool Has(Era? era, TrackKind kind, FlvForm form) =>
        era is null || Array.Exists(era.Tracks, track => track.Kind == kind && FlvBodyWriter.CanCarry(track.Codec, form));
}
