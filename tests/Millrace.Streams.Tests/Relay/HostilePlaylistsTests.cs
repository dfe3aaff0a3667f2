using System.Buffers;
using System.Globalization;
using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Relay;

namespace Millrace.Streams.Tests.Relay;

/// <summary>Playlists of another node become file names, playlists and header fields here: what no node makes is refused.</summary>
public sealed class HostilePlaylistsTests
{
    private const string Tag = "0123456789abcdef01234567";
    private const string Key = "0123456789ab";

    [Fact]
    public void What_a_node_makes_is_taken()
    {
        TryRead(Write(), out var playlists).ShouldBeTrue();

        playlists!.Key.ShouldBe(Key);
        var (segment, isListed) = playlists.Renditions.ShouldHaveSingleItem().Segments.ShouldHaveSingleItem();
        isListed.ShouldBeTrue();
        (segment.ETag, segment.NameKey, segment.Init!.NameKey, segment.Parts[0].ETag).ShouldBe((Tag, Key, Key, Tag));
    }

    [Theory]
    [InlineData("key", "")]
    [InlineData("key", "0123456789AB")]
    [InlineData("key", "0123456789a")]
    [InlineData("key", "0123456789abc")]
    [InlineData("key", "a\nb456789abc")]
    [InlineData("tag", "")]
    [InlineData("tag", "0123456789abcdef0123456")]
    [InlineData("tag", "\"\r\nSet-Cookie: a=b\r\n\r\n\"")]
    [InlineData("tag", "0123456789abcdef0123\"\r\nA")]
    [InlineData("tag", "0123456789ABCDEF01234567")]
    [InlineData("nameKey", "\"\n#EXT-X-EN")]
    [InlineData("nameKey", "../../../../")]
    [InlineData("before", "")]
    [InlineData("before", "\"\nhttp://a/")]
    [InlineData("initKey", "\",BYTERANGE")]
    [InlineData("partTag", "")]
    [InlineData("partTag", "0123456789abcdef01234567\r\n")]
    [InlineData("partTag", "0123456789abcdef0123\r\n\r\n")]
    public void Texts_that_no_node_makes_are_refused(string field, string value) => TryRead(Write(field, value), out _).ShouldBeFalse();

    [Theory]
    [InlineData("kind", (long)TrackKind.Data)]
    [InlineData("kind", 77L)]
    [InlineData("number", -1L)]
    [InlineData("number", long.MaxValue)]
    [InlineData("name", long.MinValue)]
    [InlineData("contentKey", 0L)]
    [InlineData("contentKey", -2L)]
    [InlineData("date", RelayReader.LatestDate + 1)]
    [InlineData("date", RelayReader.EarliestDate - 1)]
    [InlineData("duration", -1L)]
    [InlineData("duration", RelayReader.MaxTime)]
    [InlineData("partDuration", -1L)]
    [InlineData("partDuration", RelayReader.MaxTime)]
    [InlineData("partLength", 101L)]
    public void Numbers_that_no_node_makes_are_refused(string field, long value) =>
        TryRead(Write(field, value.ToString(CultureInfo.InvariantCulture)), out _).ShouldBeFalse();

    [Theory]
    [InlineData(TrackKind.Video, 1)]
    [InlineData(TrackKind.Audio, 0)]
    public void Mpeg_ts_has_one_rendition(TrackKind kind, byte id)
    {
        byte[] payload = [.. Head(HlsFormat.TransportStream, renditions: 1), (byte)kind, id, 0];
        TryRead(payload, out _).ShouldBeFalse();
        TryRead([.. Head(HlsFormat.TransportStream, renditions: 1), (byte)TrackKind.Video, 0, 0], out _).ShouldBeTrue();
    }

    [Fact]
    public void No_rendition_comes_twice()
    {
        byte[] audio = [(byte)TrackKind.Audio, 0, 0];
        TryRead([.. Head(HlsFormat.LowLatency, renditions: 2), .. audio, .. audio], out _).ShouldBeFalse();
        TryRead([.. Head(HlsFormat.LowLatency, renditions: 2), .. audio, (byte)TrackKind.Audio, 1, 0], out _).ShouldBeTrue();
    }

    private static bool TryRead(byte[] payload, out RelayPlaylists? playlists) => RelayPlaylists.TryRead(payload, new TestStream().Live.Resources, out playlists);

    private static byte[] Head(HlsFormat format, int renditions)
    {
        var buffer = new ArrayBufferWriter<byte>();
        WriteHead(new RelayWriter(buffer), format, Key, renditions);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteHead(RelayWriter output, HlsFormat format, string key, int renditions)
    {
        output.Byte((byte)format);
        output.Number(10UL);
        output.Text(key);
        output.Number((ulong)renditions);
    }

    /// <summary>One segment of one part, of which one field is another.</summary>
    private static byte[] Write(string field = "", string value = "")
    {
        var buffer = new ArrayBufferWriter<byte>();
        var output = new RelayWriter(buffer);
        WriteHead(output, HlsFormat.LowLatency, Text("key", Key), renditions: 1);
        output.Byte((byte)Number("kind", (long)TrackKind.Video));
        output.Number(0UL);
        output.Number(1UL);
        output.Byte(1 | 4 | 8);
        output.Signed(Number("number", 7));
        output.Signed(Number("name", 7));
        output.Number(0UL);
        output.Signed(42_000_000);
        output.Signed(Number("date", 1_700_000_000_000_000));
        output.Signed(42_000_000);
        output.Signed(Number("duration", 6_000_000));
        output.Signed(Number("contentKey", -1));
        output.Number(100UL);
        output.Text(Text("tag", Tag));
        output.Text(Text("nameKey", Key));
        output.Number(int.MaxValue);
        output.Text(Text("before", Key));
        output.Number(0UL);
        output.Number(0UL);
        output.Bytes([1, 2, 3]);
        output.Text(Text("initKey", Key));
        output.Number(1UL);
        output.Number(((ulong)Number("partLength", 100) << 1) | 1);
        output.Signed(Number("partDuration", 6_000_000));
        output.Text(Text("partTag", Tag));
        return buffer.WrittenSpan.ToArray();

        string Text(string name, string honest) => name == field ? value : honest;
        long Number(string name, long honest) => name == field ? long.Parse(value, CultureInfo.InvariantCulture) : honest;
    }
}
