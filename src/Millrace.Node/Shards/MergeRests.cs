namespace Millrace.Node.Shards;

/// <summary>
/// Subscriptions whose merge window has yet to pass. Windows have few lengths, and within one the order of
/// passes is the order in which windows end, whatever the pacer makes of them: a queue for each length, no heap.
/// </summary>
internal sealed class MergeRests<T>(MergePacer pacer)
{
    private readonly List<Lane> _lanes = [];

    /// <summary>Lets an item rest. The lengths of windows that ever came are kept: configurations have a handful.</summary>
    /// <param name="item">Who rests.</param>
    /// <param name="since">When its pass began, monotonic microseconds; not before that of the item before.</param>
    /// <param name="windowMicros">Its window as configured.</param>
    public void Add(T item, long since, long windowMicros)
    {
        foreach (var lane in _lanes)
        {
            if (lane.WindowMicros == windowMicros)
            {
                lane.Items.Enqueue((item, since));
                return;
            }
        }

        var added = new Lane(windowMicros, []);
        added.Items.Enqueue((item, since));
        _lanes.Add(added);
    }

    /// <summary>When the next window ends, monotonic microseconds; the largest number when nobody rests.</summary>
    public long NextEnd()
    {
        var next = long.MaxValue;
        foreach (var lane in _lanes)
        {
            if (lane.Items.TryPeek(out var first))
                next = Math.Min(next, first.Since + pacer.Stretch(lane.WindowMicros));
        }

        return next;
    }

    /// <summary>Takes one whose window has ended by <paramref name="now"/>, and says when it did.</summary>
    public bool TryTake(long now, out T item, out long ended)
    {
        foreach (var lane in _lanes)
        {
            if (!lane.Items.TryPeek(out var first))
                continue;
            ended = first.Since + pacer.Stretch(lane.WindowMicros);
            if (ended > now)
                continue;
            item = lane.Items.Dequeue().Item;
            return true;
        }

        (item, ended) = (default!, 0);
        return false;
    }

    private sealed record Lane(long WindowMicros, Queue<(T Item, long Since)> Items);
}
