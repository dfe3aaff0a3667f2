using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Millrace.Media.MpegTs;

/// <summary>
/// Encrypts one segment, run by run, as METHOD=AES-128 of EXT-X-KEY says: AES-128 in CBC mode with PKCS7 padding over the whole segment,
/// and without an IV attribute the media sequence number as the IV (RFC 8216bis 4.4.4.4, 5.2).
/// </summary>
public sealed class AesSegment : IDisposable
{
    public const int KeyLength = 16;

    private const int BlockLength = 16;

    /// <summary>A chunk of this many bytes is encrypted at a time, so that a large run asks the output for no large span.</summary>
    private const int ChunkLength = 1 << 16;

    private readonly Aes _aes;

    // The last block of the output, or the IV: what CBC mixes into the next.
    private readonly byte[] _chain = new byte[BlockLength];
    private readonly byte[] _partial = new byte[BlockLength];
    private int _partialLength;

    /// <param name="key">16 bytes.</param>
    /// <param name="sequence">The segment's media sequence number; the IV is that as a big-endian number of 128 bits.</param>
    public AesSegment(ReadOnlySpan<byte> key, long sequence)
    {
        if (key.Length != KeyLength)
            throw new ArgumentOutOfRangeException(nameof(key), key.Length, "16 bytes");
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        _aes = Aes.Create();
        _aes.SetKey(key);
        BinaryPrimitives.WriteInt64BigEndian(_chain.AsSpan(BlockLength - sizeof(long)), sequence);
    }

    /// <summary>Bytes of an encrypted segment: padding adds 1 to 16.</summary>
    public static long LengthOf(long plainLength) => (plainLength / BlockLength * BlockLength) + BlockLength;

    /// <summary>Encrypts the next bytes of the segment; what does not fill a block waits for those behind it.</summary>
    public void Append(ReadOnlySpan<byte> run, IBufferWriter<byte> output)
    {
        if (_partialLength > 0)
        {
            int take = Math.Min(run.Length, BlockLength - _partialLength);
            run[..take].CopyTo(_partial.AsSpan(_partialLength));
            _partialLength += take;
            run = run[take..];
            if (_partialLength < BlockLength)
                return;
            Encrypt(_partial, PaddingMode.None, output);
            _partialLength = 0;
        }

        while (run.Length >= BlockLength)
        {
            int take = Math.Min(run.Length, ChunkLength) / BlockLength * BlockLength;
            Encrypt(run[..take], PaddingMode.None, output);
            run = run[take..];
        }

        run.CopyTo(_partial);
        _partialLength = run.Length;
    }

    /// <summary>Writes the last block with its padding. Nothing may be appended after it.</summary>
    public void End(IBufferWriter<byte> output) => Encrypt(_partial.AsSpan(0, _partialLength), PaddingMode.PKCS7, output);

    public void Dispose() => _aes.Dispose();

    private void Encrypt(ReadOnlySpan<byte> plain, PaddingMode padding, IBufferWriter<byte> output)
    {
        Span<byte> target = output.GetSpan(plain.Length + BlockLength);
        int written = _aes.EncryptCbc(plain, _chain, target, padding);
        target.Slice(written - BlockLength, BlockLength).CopyTo(_chain);
        output.Advance(written);
    }
}
