using System.IO.Compression;
using System.Text;

namespace Millrace.Streams.Hls;

/// <summary>The finished bytes of a playlist, shared by all who ask for it.</summary>
internal sealed class HlsDocument
{
    private byte[]? _gzip;

    public HlsDocument(string text)
    {
        Bytes = Encoding.UTF8.GetBytes(text);
        ETag = HlsNames.Tag(Bytes);
    }

    public byte[] Bytes { get; }

    /// <summary>Of the identity encoding, without quotes.</summary>
    public string ETag { get; }

    /// <summary>Another encoding is another representation, and needs another strong tag (RFC 9110 8.8.3).</summary>
    public string GzipETag => ETag + "-gzip";

    /// <summary>Made once; two requests at the same time may both make it, with the same result.</summary>
    public byte[] Gzip => _gzip ??= Compress(Bytes);

    private static byte[] Compress(byte[] bytes)
    {
        using var output = new MemoryStream(bytes.Length / 4);
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        return output.ToArray();
    }
}
