using Millrace.Node.Relay;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>A segment that is being brought from another node, once for all who ask meanwhile.</summary>
internal sealed class HlsFetch : Completion
{
    /// <summary>Whoever asks for what was not to be had costs the other node a question this often.</summary>
    private const long LostMicros = 1_000_000;

    private readonly HlsFetches _fetches;
    private readonly LiveStream _stream;
    private BlockLog? _bytes;
    private long _left;

    public HlsFetch(HlsFetches fetches, LiveStream stream, HlsSegment segment, RelayObjectName name) =>
        (_fetches, _stream, Segment, Name) = (fetches, stream, segment, name);

    public HlsSegment Segment { get; }

    public RelayObjectName Name { get; }

    /// <summary>The other node begins to send. False where the segment is not what it was said to be, or there is no room for it.</summary>
    public bool TryBegin(long length)
    {
        Abandon();
        var resources = _stream.Resources;
        var bytes = new BlockLog(resources.Pool, resources.Budget[MemoryUse.HlsWindows]);
        if (length == 0 || length != Segment.Length || !bytes.TryReserve(length))
        {
            bytes.Dispose();
            return false;
        }

        (_bytes, _left) = (bytes, length);
        return true;
    }

    /// <summary>Takes the next bytes. False where they are more than was said.</summary>
    public bool TryTake(ReadOnlySpan<byte> data)
    {
        if (_bytes is null || data.Length > _left)
            return false;
        _bytes.Append(data);
        _left -= data.Length;
        if (_left == 0)
            End();
        return true;
    }

    /// <summary>The connection has gone: what came of it is of no use.</summary>
    public void Abandon()
    {
        _bytes?.Dispose();
        _bytes = null;
    }

    /// <summary>It is not to be had now: the other node has it no more, or there was no room for it here.</summary>
    public void Fail()
    {
        Abandon();
        Segment.LostUntil = NodeClock.Micros + LostMicros;
        Leave(isBrought: false);
    }

    /// <summary>The segment is here already.</summary>
    public void Forgo()
    {
        _fetches.Forget(this);
        Complete();
    }

    private void End()
    {
        bool isWanted;
        lock (_stream.Gate)
        {
            isWanted = !Segment.IsDropped && Segment.IsAway;
            if (isWanted)
                Segment.Bring(_bytes!);
            else
                _bytes!.Dispose();
            _bytes = null;
        }

        Leave(isWanted);
    }

    private void Leave(bool isBrought)
    {
        _fetches.Remove(this, isBrought);
        Complete();
    }
}
