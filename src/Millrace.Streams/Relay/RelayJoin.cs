using Millrace.Streams.Log;

namespace Millrace.Streams.Relay;

/// <summary>Where in the log another node starts, so that it can package the segments that are open.</summary>
internal static class RelayJoin
{
    /// <summary>
    /// A packager begins with the first segment that lies wholly behind what it has seen of the log (<see cref="Hls.HlsPackager.LookBack"/>), and a little more for
    /// sound that is late.
    /// </summary>
    private const long LookBack = Hls.HlsPackager.LookBack + 200_000;

    /// <summary>Number of the entry: before the beginning of the oldest open segment, at the latest at that of its Era; without segments the join point.</summary>
    public static long Find(StreamLog log)
    {
        var (border, number) = OpenSegment(log);
        if (number < 0)
            return log.JoinNumber < 0 ? log.First : log.JoinNumber;
        var era = log[number].EraNumber;
        for (; number > log.First; number--)
        {
            ref readonly var entry = ref log[number];
            // What lies before has other names.
            if (log[number - 1].Kind == LogEntryKind.Fork)
                break;
            if (entry.Kind == LogEntryKind.EraStart && entry.EraNumber == era)
                break;
            if (entry.Kind == LogEntryKind.Unit && entry.DtsMicros <= border - LookBack)
                break;
        }

        return number;
    }

    /// <summary>The earliest border of those series' newest segments, and the first Mark that says one of them; -1 where the log has none.</summary>
    private static (long Border, long Number) OpenSegment(StreamLog log)
    {
        Span<long> segments = [long.MinValue, long.MinValue];
        var (border, oldest) = (long.MaxValue, -1L);
        for (var number = log.End - 1; number >= log.First; number--)
        {
            ref readonly var entry = ref log[number];
            if (entry.Kind != LogEntryKind.Mark || entry.Mark.Kind != MarkKind.Segment)
                continue;
            ref var segment = ref segments[(int)entry.Mark.Series];
            // The other series may have longer ones.
            if (segment != long.MinValue && segment != entry.Mark.Number)
                continue;
            segment = entry.Mark.Number;
            (border, oldest) = (Math.Min(border, entry.DtsMicros), number);
        }

        return (border, oldest);
    }
}
