namespace Millrace.Protocols.Rtmp;

/// <summary>
/// Events that wait to be taken. There is nearly always one, which is kept in place: a queue on the heap would be two more objects to
/// wait for with every message of every publisher.
/// </summary>
internal struct RtmpEventQueue
{
    private RtmpEvent _first;
    private bool _hasFirst;
    private Queue<RtmpEvent>? _more;

    public readonly bool IsEmpty => !_hasFirst;

    public void Enqueue(in RtmpEvent e)
    {
        if (_hasFirst)
        {
            (_more ??= new Queue<RtmpEvent>()).Enqueue(e);
            return;
        }

        _first = e;
        _hasFirst = true;
    }

    public bool TryDequeue(out RtmpEvent e)
    {
        e = _first;
        var had = _hasFirst;
        _first = default;
        _hasFirst = _more is not null && _more.TryDequeue(out _first);
        return had;
    }
}
