namespace Millrace.Protocols.Relay;

/// <summary>The header of a message: type and length.</summary>
internal static class RelayFrame
{
    /// <summary>Longest payload: an access unit as FLV can say it, and its entry's fields.</summary>
    public const int MaxPayload = (16 << 20) + 256;

    /// <summary>Longest header: a type and a varint of 28 bits.</summary>
    public const int MaxHeader = 5;

    public static int HeaderLength(int payload) => 1 + RelayWriter.LengthOf((ulong)payload);

    /// <summary>Returns its length.</summary>
    public static int WriteHeader(Span<byte> target, RelayMessageType type, int payload)
    {
        target[0] = (byte)type;
        return 1 + RelayWriter.Write(target[1..], (ulong)payload);
    }

    /// <summary>Reads a header. False while it is not complete; <paramref name="length"/> is then 0, or -1 when it can be none.</summary>
    /// <param name="bytes">From the header on.</param>
    /// <param name="type">The message's type.</param>
    /// <param name="header">Bytes of the header.</param>
    /// <param name="length">Bytes of the payload.</param>
    public static bool TryReadHeader(ReadOnlySpan<byte> bytes, out RelayMessageType type, out int header, out int length)
    {
        type = bytes.IsEmpty ? RelayMessageType.None : (RelayMessageType)bytes[0];
        (header, length) = (0, 0);
        for (var i = 1; i < bytes.Length; i++)
        {
            length |= (bytes[i] & 0x7F) << (7 * (i - 1));
            if ((bytes[i] & 0x80) == 0)
            {
                header = i + 1;
                if (length <= MaxPayload)
                    return true;
                length = -1;
                return false;
            }

            if (i == MaxHeader - 1)
            {
                length = -1;
                return false;
            }
        }

        length = 0;
        return false;
    }
}
