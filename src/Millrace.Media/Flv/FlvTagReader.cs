using System.Buffers.Binary;
using Millrace.Media.Bits;

namespace Millrace.Media.Flv;

/// <summary>One tag; valid as long as the bytes that were given to the reader.</summary>
public readonly ref struct FlvTag
{
    public FlvTagType Type { get; init; }

    /// <summary>Milliseconds, 32 bits with the extension.</summary>
    public uint TimestampMs { get; init; }

    public ReadOnlySpan<byte> Body { get; init; }
}

/// <summary>
/// Reads the tags of an FLV byte stream (E.2 to E.4) as its bytes arrive. The stream may begin with the file header, or at a tag (what some relays
/// send), or at a PreviousTagSize. Sizes of previous tags are not checked: many writers leave them 0.
/// </summary>
/// <param name="maxBodyLength">A longer body is an error. Default 16 MB less one byte, which is all the field can say.</param>
public sealed class FlvTagReader(int maxBodyLength = FlvTagHeader.MaxBodyLength)
{
    private const int HeaderLength = 9;

    /// <summary>A file header may be longer than 9 bytes; beyond this it is no FLV.</summary>
    private const int MaxHeaderLength = 1024;

    private bool _started;
    private bool _sizeIsNext;

    /// <summary>Why nothing more can be read.</summary>
    public string? Error { get; private set; }

    /// <summary>
    /// Reads the next tag from the front of <paramref name="input"/>. False when more bytes are needed, or after an error; also then
    /// <paramref name="consumed"/> bytes are done with and must not be given again.
    /// </summary>
    public bool TryRead(ReadOnlySpan<byte> input, out int consumed, out FlvTag tag)
    {
        consumed = 0;
        tag = default;
        if (Error is not null || (!_started && !TryStart(input, out consumed)))
            return false;

        ReadOnlySpan<byte> rest = input[consumed..];
        if (_sizeIsNext)
        {
            if (rest.Length < FlvTagHeader.TrailerLength)
                return false;
            consumed += FlvTagHeader.TrailerLength;
            rest = rest[FlvTagHeader.TrailerLength..];
            _sizeIsNext = false;
        }

        if (rest.Length < FlvTagHeader.Length)
            return false;
        int length = BigEndian.ReadUInt24(rest[1..]);
        if (rest[0] is not ((byte)FlvTagType.Audio or (byte)FlvTagType.Video or (byte)FlvTagType.Script))
            return Fail($"FLV: tag type {rest[0]} is unknown, or the stream is out of step");
        if (length > maxBodyLength)
            return Fail($"FLV: a body of {length} bytes, more than {maxBodyLength}");
        if (rest.Length < FlvTagHeader.Length + length)
            return false;

        tag = new FlvTag
        {
            Type = (FlvTagType)rest[0],
            TimestampMs = (uint)BigEndian.ReadUInt24(rest[4..]) | ((uint)rest[7] << 24),
            Body = rest.Slice(FlvTagHeader.Length, length),
        };
        consumed += FlvTagHeader.Length + length;
        _sizeIsNext = true;
        return true;
    }

    /// <summary>Passes over the file header, if there is one.</summary>
    private bool TryStart(ReadOnlySpan<byte> input, out int consumed)
    {
        consumed = 0;
        ReadOnlySpan<byte> signature = "FLV"u8;
        int seen = Math.Min(input.Length, signature.Length);
        if (seen == 0)
            return false;
        if (!input[..seen].SequenceEqual(signature[..seen]))
        {
            // PreviousTagSize0 begins with 0, which is no tag type.
            _sizeIsNext = input[0] == 0;
            return _started = true;
        }

        if (input.Length < HeaderLength)
            return false;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(input[5..]);
        if (length is < HeaderLength or > MaxHeaderLength)
            return Fail($"FLV: a file header of {length} bytes");
        if (input.Length < length)
            return false;
        consumed = (int)length;
        _sizeIsNext = true;
        return _started = true;
    }

    private bool Fail(string error)
    {
        Error = error;
        return false;
    }
}
