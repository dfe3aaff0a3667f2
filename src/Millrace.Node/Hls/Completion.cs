namespace Millrace.Node.Hls;

/// <summary>Something that happens once, those who wait for it, and what is to be done then. Any thread.</summary>
internal abstract class Completion
{
    private readonly Lock _gate = new();
    private List<Action>? _actions = [];
    private int _isThrough;

    protected Completion() => Waiters = new HlsWaiters(_ => IsThrough);

    /// <summary>HTTP requests: whatever they wait for has happened when this has.</summary>
    public HlsWaiters Waiters { get; }

    public bool IsThrough => Volatile.Read(ref _isThrough) == 1;

    /// <summary>Runs it then, or now where it has happened.</summary>
    public void Then(Action action)
    {
        lock (_gate)
        {
            if (_actions is not null)
            {
                _actions.Add(action);
                return;
            }
        }

        action();
    }

    protected void Complete()
    {
        List<Action>? actions;
        lock (_gate)
            (actions, _actions) = (_actions, null);
        Volatile.Write(ref _isThrough, 1);
        // Who waits looks at that after it has said so: one of the two sees the other.
        Interlocked.MemoryBarrier();
        actions?.ForEach(static action => action());
        Waiters.OnPublished();
    }
}
