namespace Millrace.Node.Shards;

/// <content>What the thread does.</content>
internal sealed unsafe partial class Shard
{
    /// <summary>No slice begins later than this after the first of a turn: publishers' bytes and timers come first.</summary>
    private const long SendMicros = 2_000;

    /// <summary>The crowd's share of a turn, microseconds, about.</summary>
    private const long CrowdMicros = 2_000;

    /// <summary>Most events of the crowd in one turn.</summary>
    private const int CrowdEvents = 128;

    /// <summary>Who has its part asks for the next at once; those who have yet to get this one come first.</summary>
    private const int CrowdEventsWhileSending = 32;

    private const int LeastCrowdEvents = 8;

    private const int StopPollMillis = 20;

    private int _crowdEvents = CrowdEvents;

    private void Run()
    {
        while (!_stops || (ConnectionCount > 0 && NodeClock.Micros < _stopDeadline))
        {
            var now = NodeClock.Micros;
            var timeout = Timeout(now);
            if (_stops)
                timeout = timeout < 0 ? StopPollMillis : Math.Min(timeout, StopPollMillis);
            if (timeout != 0)
            {
                Interlocked.Exchange(ref _isAsleep, 1);
                if (Volatile.Read(ref _dirty) is not null || !_inbox.IsEmpty)
                    timeout = 0;
            }

            var count = _poll.Wait(timeout);
            Volatile.Write(ref _isAsleep, 0);
            var asleep = now;
            now = NodeClock.Micros;
            // A look without waiting is work.
            asleep = timeout == 0 ? 0 : now - asleep;
            if (Dispatch(_poll, count, now))
                ServeCrowd();
            // Those alone that are there now: an acceptor can be faster than this.
            for (var posted = _inbox.Count; posted > 0 && _inbox.TryDequeue(out var action); posted--)
                RunPosted(action);
            Wheel.Advance(now);
            CollectDirty(now);
            WakeRested(now);
            Pacer.OnTurn(Send(), asleep);
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
        }

        CloseAll();
    }

    private void RunPosted(Action action)
    {
        try
        {
            action();
        }
        catch (Exception fault)
        {
            // Whatever it was about, the shard's other connections have no part in it.
            Report(fault);
        }
    }

    /// <summary>Turns to those of whom there are events; true when there are events of the crowd.</summary>
    private bool Dispatch(EventPoll poll, int count, long now)
    {
        var hasCrowd = false;
        for (var i = 0; i < count; i++)
        {
            poll.Read(i, out var ready, out var token);
            if (token == WakeToken)
            {
                long value;
                _ = Native.Read(_wake, &value, sizeof(long));
            }
            else if (token == CrowdToken)
            {
                hasCrowd = true;
            }
            else if (_connections[token] is { } connection)
            {
                // One that an earlier event of this batch closed has left its place empty; newcomers take places only after it.
                Serve(connection, ready, now);
            }
        }

        return hasCrowd;
    }

    private void Serve(ShardConnection connection, int ready, long now)
    {
        if ((ready & Native.EpollOut) == 0 || connection.Subscription is null)
        {
            connection.Serve(Turn.Ready, ready, now);
            return;
        }

        // The rest of what a pass began to send.
        var start = NodeClock.Micros;
        connection.Serve(Turn.Ready, ready, now);
        Pacer.OnSent(NodeClock.Micros - start);
    }

    /// <summary>
    /// What viewers ask for costs a microsecond or a hundred. A batch that took long makes the next smaller, so that the first after a
    /// quiet while may take longer than its share; broken off, it would begin with the same connections again.
    /// </summary>
    private void ServeCrowd()
    {
        var start = NodeClock.Micros;
        var limit = _due.Count > 0 ? Math.Min(_crowdEvents, CrowdEventsWhileSending) : _crowdEvents;
        Dispatch(_crowd, _crowd.Wait(0, limit), start);
        _crowdEvents = NodeClock.Micros - start > CrowdMicros ? Math.Max(_crowdEvents / 2, LeastCrowdEvents) : Math.Min(_crowdEvents * 2, CrowdEvents);
    }

    private EventPoll PollOf(ShardConnection connection) => connection.IsOfCrowd ? _crowd : _poll;

    private int Timeout(long now)
    {
        if (_due.Count > 0)
            return 0;
        var wheel = Wheel.MillisToNextTick(now);
        var next = _rests.NextEnd();
        if (next == long.MaxValue)
            return wheel;
        var millis = (int)((Math.Max(0, next - now) + 999) / 1_000);
        return wheel < 0 ? millis : Math.Min(millis, wheel);
    }

    private void CollectDirty(long now)
    {
        var subscription = Interlocked.Exchange(ref _dirty, null);
        while (subscription is not null)
        {
            var next = subscription.NextDirty;
            subscription.NextDirty = null;
            subscription.BecomeDue(now);
            subscription = next;
        }
    }

    private void WakeRested(long now)
    {
        while (_rests.TryTake(now, out var subscription, out var ended))
            subscription.EndRest(ended);
    }

    /// <summary>At most one slice for each pass that is due; those that are through leave the queue.</summary>
    /// <returns>When it was done, monotonic microseconds.</returns>
    private long Send()
    {
        var start = NodeClock.Micros;
        var now = start;
        for (var passes = _due.Count; passes > 0 && now - start <= SendMicros; passes--)
        {
            var pass = _due.Dequeue();
            if (!pass.RunSlice(now))
                _due.Enqueue(pass);
            now = NodeClock.Micros;
        }

        return now;
    }
}
