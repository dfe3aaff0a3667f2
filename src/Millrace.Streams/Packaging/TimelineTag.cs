using System.Buffers;
using System.Globalization;
using Millrace.Media.Amf;
using Millrace.Streams.Log;

namespace Millrace.Streams.Packaging;

/// <summary>
/// The <c>onTimeline</c> script tag of FLV: what a page needs to tell how far behind live its picture is.
/// <c>epochMicros</c> is the wall clock (Unix time, microseconds) of FLV timestamp 0.
/// </summary>
internal static class TimelineTag
{
    /// <summary>An announcement that is off by more than this is renewed at the next key frame.</summary>
    public const long ToleranceMicros = 20_000;

    public static ReadOnlyMemory<byte> Write(ulong timelineId, Era era)
    {
        var output = new ArrayBufferWriter<byte>(128);
        var writer = new Amf0Writer(output);
        writer.String("onTimeline");
        writer.StartEcmaArray(3);
        writer.Member("epochMicros", (double)era.EpochMicros);
        writer.Member("timeline", timelineId.ToString("x16", CultureInfo.InvariantCulture));
        writer.Member("era", era.Number);
        writer.EndObject();
        return output.WrittenMemory;
    }
}
