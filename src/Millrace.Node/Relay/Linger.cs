namespace Millrace.Node.Relay;

/// <summary>How long a fetched stream is kept after the last viewer (<c>edge.linger</c>), and that nobody comes between its being let go and its being forgotten. Any thread.</summary>
/// <param name="micros">Microseconds from the last viewer, and from the last who asked: he plays a moment later.</param>
internal sealed class Linger(long micros)
{
    private readonly Lock _gate = new();
    private long _touched = long.MinValue / 2;
    private bool _isOver;

    /// <summary>Somebody asks, or watches; false where it is too late, and all that was kept has gone.</summary>
    /// <param name="now">Monotonic time, microseconds.</param>
    public bool TryTouch(long now)
    {
        // Nobody else can have come to its end so soon after, and each request for a part comes by here.
        if (!Volatile.Read(ref _isOver) && now - Volatile.Read(ref _touched) < micros / 2)
            return true;
        lock (_gate)
        {
            if (!_isOver)
                Volatile.Write(ref _touched, Math.Max(_touched, now));
            return !_isOver;
        }
    }

    /// <summary>Lets go where the time is over: whoever asks meanwhile waits for the end of that.</summary>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="tryLetGo">False: somebody watches after all.</param>
    public bool TryEnd(long now, Func<bool> tryLetGo)
    {
        lock (_gate)
            return _isOver = _isOver || (now - _touched >= micros && tryLetGo());
    }

    /// <summary>Lets go whoever watches.</summary>
    public void End(Action letGo)
    {
        lock (_gate)
        {
            Volatile.Write(ref _isOver, true);
            letGo();
        }
    }
}
