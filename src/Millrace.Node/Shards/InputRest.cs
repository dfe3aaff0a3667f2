namespace Millrace.Node.Shards;

/// <summary>What has come and cannot be taken yet, a header in part for the most: it comes again before what comes next.</summary>
/// <param name="bytes">Room for it that is there from the beginning.</param>
internal sealed class InputRest(int bytes)
{
    private const int MostKept = 4 * 1024;

    private byte[] _rest = new byte[bytes];
    private int _length;

    /// <summary>Memory that it takes beyond what was there from the beginning.</summary>
    public long HeldBytes => _rest.Length > bytes ? _rest.Length : 0;

    /// <summary>Puts it at the front of what is received into; from here on it is nobody's.</summary>
    /// <returns>Its length, bytes.</returns>
    public int MoveTo(Span<byte> buffer)
    {
        var length = _length;
        _rest.AsSpan(0, length).CopyTo(buffer);
        _length = 0;
        // What was much was so once, behind a request that had to wait.
        if (_rest.Length > MostKept)
            _rest = new byte[bytes];
        return length;
    }

    public void Keep(ReadOnlySpan<byte> rest)
    {
        if (rest.Length > _rest.Length)
            _rest = new byte[Math.Max(rest.Length, Math.Min(rest.Length * 2, MostKept))];
        rest.CopyTo(_rest);
        _length = rest.Length;
    }
}
