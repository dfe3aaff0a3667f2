namespace Millrace.Media.MpegTs;

/// <summary>A queue of bytes in one array that grows as needed and is used again for each segment.</summary>
internal sealed class HeldBytes
{
    private const int MinCapacity = 4096, LargeCapacity = 1 << 20;

    private byte[] _bytes = [];
    private int _start;
    private int _end;
    private int _peak;

    public Span<byte> Content => _bytes.AsSpan(_start.._end);

    public void Append(scoped ReadOnlySpan<byte> data)
    {
        if (data.Length > _bytes.Length - _end)
            MakeRoom(data.Length);
        data.CopyTo(_bytes.AsSpan(_end));
        _end += data.Length;
        _peak = Math.Max(_peak, _end);
    }

    public void RemoveFirst(int count)
    {
        _start += count;
        if (_start == _end)
            _start = _end = 0;
    }

    /// <summary>Forgets the content; gives up a large array that the time since the last call had no use for.</summary>
    public void Clear()
    {
        if (_bytes.Length > LargeCapacity && _peak < _bytes.Length / 4)
            _bytes = [];
        _start = _end = _peak = 0;
    }

    private void MakeRoom(int count)
    {
        int length = _end - _start, needed = length + count;
        byte[] target = _bytes;
        if (needed > _bytes.Length)
            target = new byte[Math.Max(MinCapacity, Math.Max(needed, _bytes.Length * 2))];
        Content.CopyTo(target);
        _bytes = target;
        _start = 0;
        _end = length;
    }
}
