using System.Buffers;
using System.Buffers.Binary;

namespace Millrace.Media.Codecs;

/// <summary>The byte stream format: NAL units behind start codes (H.264 and H.265, Annex B). MPEG-TS and RTSP senders use it.</summary>
public static class AnnexB
{
    /// <summary>
    /// Appends the units of <paramref name="byteStream"/> with 4-byte length prefixes. Bytes in front of the first start code are
    /// not a unit and are left out. Returns how many units were written.
    /// </summary>
    public static int WriteLengthPrefixed(ReadOnlySpan<byte> byteStream, IBufferWriter<byte> output)
    {
        int count = 0;
        var reader = new AnnexBReader(byteStream);
        while (reader.TryRead(out ReadOnlySpan<byte> nal))
        {
            BinaryPrimitives.WriteUInt32BigEndian(output.GetSpan(4), (uint)nal.Length);
            output.Advance(4);
            output.Write(nal);
            count++;
        }

        return count;
    }
}

/// <summary>Walks the NAL units of a byte stream (Annex B). Zero bytes around a unit belong to no unit; empty units are passed over.</summary>
public ref struct AnnexBReader(ReadOnlySpan<byte> byteStream)
{
    private ReadOnlySpan<byte> _rest = AfterStartCode(byteStream);

    public bool TryRead(out ReadOnlySpan<byte> nal)
    {
        while (!_rest.IsEmpty)
        {
            int end = _rest.IndexOf(StartCode);
            // A NAL unit never ends in 00 (7.4.1), so trailing zeros are padding or the fourth byte of the next start code.
            nal = (end < 0 ? _rest : _rest[..end]).TrimEnd((byte)0);
            _rest = end < 0 ? default : _rest[(end + StartCode.Length)..];
            if (!nal.IsEmpty)
                return true;
        }

        nal = default;
        return false;
    }

    private static ReadOnlySpan<byte> StartCode => [0, 0, 1];

    private static ReadOnlySpan<byte> AfterStartCode(ReadOnlySpan<byte> bytes)
    {
        int start = bytes.IndexOf(StartCode);
        return start < 0 ? default : bytes[(start + StartCode.Length)..];
    }
}
