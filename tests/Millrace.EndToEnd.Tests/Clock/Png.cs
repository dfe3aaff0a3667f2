using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Millrace.EndToEnd.Clock;

/// <summary>
/// Reads the PNGs that a browser's screenshot has: 8 bits a channel, RGB or RGBA, not interlaced
/// (PNG specification, third edition: chunks in section 5, filters in section 9).
/// </summary>
internal static class Png
{
    public static GrayImage Decode(byte[] file)
    {
        var (width, height, channels) = (0, 0, 0);
        using var compressed = new MemoryStream();
        for (var at = 8; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            var type = Encoding.ASCII.GetString(file, at + 4, 4);
            var data = file.AsSpan(at + 8, length);
            if (type == "IHDR")
            {
                width = BinaryPrimitives.ReadInt32BigEndian(data);
                height = BinaryPrimitives.ReadInt32BigEndian(data[4..]);
                channels = (data[8], data[9], data[12]) switch
                {
                    (8, 2, 0) => 3,
                    (8, 6, 0) => 4,
                    _ => throw new InvalidDataException("PNG: only 8-bit RGB and RGBA, not interlaced"),
                };
            }
            else if (type == "IDAT")
            {
                compressed.Write(data);
            }

            at += length + 12;
        }

        compressed.Position = 0;
        using var rows = new ZLibStream(compressed, CompressionMode.Decompress);
        return ReadRows(rows, width, height, channels);
    }

    private static GrayImage ReadRows(Stream rows, int width, int height, int channels)
    {
        var pixels = new byte[width * height];
        var above = new byte[width * channels];
        var current = new byte[width * channels];
        for (var y = 0; y < height; y++)
        {
            var filter = rows.ReadByte();
            rows.ReadExactly(current);
            Unfilter(filter, current, above, channels);
            for (var x = 0; x < width; x++)
            {
                var p = current.AsSpan(x * channels, 3);
                pixels[(y * width) + x] = (byte)(((299 * p[0]) + (587 * p[1]) + (114 * p[2])) / 1000);
            }

            (above, current) = (current, above);
        }

        return new GrayImage(width, height, pixels);
    }

    private static void Unfilter(int filter, byte[] current, byte[] above, int channels)
    {
        for (var i = 0; i < current.Length; i++)
        {
            var left = i >= channels ? current[i - channels] : 0;
            var up = above[i];
            var corner = i >= channels ? above[i - channels] : 0;
            current[i] += filter switch
            {
                0 => (byte)0,
                1 => (byte)left,
                2 => up,
                3 => (byte)((left + up) / 2),
                4 => (byte)Paeth(left, up, corner),
                _ => throw new InvalidDataException($"PNG: filter {filter}"),
            };
        }
    }

    private static int Paeth(int left, int up, int corner)
    {
        var estimate = left + up - corner;
        var (toLeft, toUp, toCorner) = (Math.Abs(estimate - left), Math.Abs(estimate - up), Math.Abs(estimate - corner));
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
}
