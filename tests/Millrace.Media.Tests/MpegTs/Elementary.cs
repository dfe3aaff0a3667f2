namespace Millrace.Media.Tests.MpegTs;

/// <summary>Takes elementary streams apart, without the code under test.</summary>
internal static class Elementary
{
    /// <summary>Byte streams, cut at 4-byte start codes.</summary>
    public static List<byte[]> Nals(byte[] stream)
    {
        var nals = new List<byte[]>();
        ReadOnlySpan<byte> rest = stream, code = [0, 0, 0, 1];
        rest.StartsWith(code).ShouldBeTrue();
        while (!rest.IsEmpty)
        {
            rest = rest[code.Length..];
            int end = rest.IndexOf(code) is int found and >= 0 ? found : rest.Length;
            nals.Add(rest[..end].ToArray());
            rest = rest[end..];
        }

        return nals;
    }

    /// <summary>All slices; delimiters and parameter sets are passed over.</summary>
    public static List<byte> FromHevc(List<TsPesSeen> pes) =>
        [.. pes.SelectMany(static picture => Nals(picture.Data)).Where(static nal => nal[0] >> 1 < 32).SelectMany(static nal => nal)];

    /// <summary>The frames of an ADTS stream (ISO/IEC 14496-3 1.A.2); each PES packet has whole ones.</summary>
    public static List<byte[]> FromAdts(List<TsPesSeen> pes)
    {
        var frames = new List<byte[]>();
        foreach (TsPesSeen packet in pes)
        {
            int length;
            for (int at = 0; at < packet.Data.Length; at += length)
            {
                ReadOnlySpan<byte> header = packet.Data.AsSpan(at, 7);
                (header[0], header[1] & 0xF6).ShouldBe(((byte)0xFF, 0xF0));
                length = ((header[3] & 3) << 11) | (header[4] << 3) | (header[5] >> 5);
                frames.Add(packet.Data[(at + 7)..(at + length)]);
            }
        }

        return frames;
    }

    /// <summary>Opus packets behind control headers without trims and extension.</summary>
    public static List<byte[]> FromOpus(List<TsPesSeen> pes)
    {
        var frames = new List<byte[]>();
        foreach (TsPesSeen packet in pes)
        {
            for (int at = 0; at < packet.Data.Length;)
            {
                Hex.Of(packet.Data.AsSpan(at, 2)).ShouldBe("7fe0");
                int length = 0;
                at += 2;
                do
                    length += packet.Data[at];
                while (packet.Data[at++] == 255);
                frames.Add(packet.Data[at..(at + length)]);
                at += length;
            }
        }

        return frames;
    }
}
