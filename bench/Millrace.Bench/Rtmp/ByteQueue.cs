namespace Millrace.Bench.Rtmp;

/// <summary>Received bytes that are not parsed yet, contiguous.</summary>
internal sealed class ByteQueue
{
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    public ReadOnlySpan<byte> Span => _buffer.AsSpan(_start, _end - _start);

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(_start, _end - _start);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_buffer.Length - _end < bytes.Length) MakeRoom(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    public void Consume(int count)
    {
        _start += count;
        if (_start == _end) _start = _end = 0;
    }

    private void MakeRoom(int needed)
    {
        int held = _end - _start;
        var target = _buffer.Length >= held + needed ? _buffer : new byte[Math.Max(_buffer.Length * 2, held + needed)];
        Span.CopyTo(target);
        (_buffer, _start, _end) = (target, 0, held);
    }
}
