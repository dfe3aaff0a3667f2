using System.Collections.Concurrent;

namespace Millrace.Streams;

/// <summary>
/// Finds media memory for a stream that has run out of it: what is cheapest to lose first, and of that its own before that of
/// others.
/// </summary>
/// <remarks>
/// With a full budget each append may come here, so a call ends with the first stream that gave something, the next goes on
/// behind it, and a level of which a whole round found nothing rests. Whoever comes holds the lock of one stream and waits for
/// this one; other streams' locks are only tried from here. So no two wait for each other, and a stream that is busy is passed over.
/// </remarks>
internal sealed class Shedder(ConcurrentDictionary<StreamName, LiveStream> streams)
{
    /// <summary>
    /// How long a level rests, microseconds. 5,000 streams that append 75 times a second make 375,000 appends a second, and all
    /// four levels together 200,000 looks at streams at the most.
    /// </summary>
    public const long RestMicros = 100_000;

    private readonly Lock _gate = new();
    private readonly Round[] _rounds = [new(), new(), new(), new()];

    /// <summary>How often a stream was looked at for another.</summary>
    public long Visits { get; private set; }

    /// <param name="asker">Whose lock the caller holds.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="bytes">That many are enough.</param>
    public bool TryShed(LiveStream asker, long now, long bytes)
    {
        lock (_gate)
        {
            for (var level = ShedLevel.Idle; level <= ShedLevel.Logs; level++)
            {
                if (asker.Shed(level, now, bytes) > 0 || TryOthers(asker, level, now, bytes))
                    return true;
            }

            return false;
        }
    }

    /// <summary>As <see cref="TryShed"/>, for a stream that stands alone.</summary>
    public static bool TryShedOwn(LiveStream asker, long now, long bytes)
    {
        for (var level = ShedLevel.Idle; level <= ShedLevel.Logs; level++)
        {
            if (asker.Shed(level, now, bytes) > 0)
                return true;
        }

        return false;
    }

    private bool TryOthers(LiveStream asker, ShedLevel level, long now, long bytes)
    {
        var round = _rounds[(int)level];
        while (now >= round.RestsUntil)
        {
            // The table may change under its enumerator.
            round.Place ??= streams.GetEnumerator();
            while (round.Place.MoveNext())
            {
                if (round.Place.Current.Value is var other && other != asker && TryOther(other, level, now, bytes))
                {
                    round.HasFreed = true;
                    return true;
                }
            }

            round.Place = null;
            // One that gave something may have more by now.
            round.RestsUntil = round.HasFreed ? long.MinValue : now + RestMicros;
            round.HasFreed = false;
        }

        return false;
    }

    private bool TryOther(LiveStream other, ShedLevel level, long now, long bytes)
    {
        Visits++;
        if (!other.Gate.TryEnter())
            return false;
        try
        {
            return other.Shed(level, now, bytes) > 0;
        }
        finally
        {
            other.Gate.Exit();
        }
    }

    /// <summary>How far a level has come in going through the streams.</summary>
    private sealed class Round
    {
        public IEnumerator<KeyValuePair<StreamName, LiveStream>>? Place { get; set; }

        /// <summary>Something has come of this round.</summary>
        public bool HasFreed { get; set; }

        public long RestsUntil { get; set; } = long.MinValue;
    }
}
