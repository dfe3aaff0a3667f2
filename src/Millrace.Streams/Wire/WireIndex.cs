namespace Millrace.Streams.Wire;

/// <summary>What a wire log knows of one message.</summary>
internal struct WireEntry
{
    /// <summary>Position of the message's first byte.</summary>
    public long Start;

    /// <summary>Media time in milliseconds since the Timeline's start.</summary>
    public long DtsMillis;

    /// <summary>What a player that starts here must be sent first; null where none can start.</summary>
    public WirePreamble? Preamble;
}

/// <summary>
/// A ring of message entries numbered from 0 without end. Written by the wire log's writer; read by any thread whose slot
/// protects the positions it asks for.
/// </summary>
internal sealed class WireIndex
{
    private WireEntry[] _ring = new WireEntry[64];
    private long _first;
    private long _end;

    public long First => Volatile.Read(ref _first);

    public long End => Volatile.Read(ref _end);

    public void Add(in WireEntry entry)
    {
        var ring = _ring;
        if (_end - _first == ring.Length)
        {
            var grown = new WireEntry[ring.Length * 2];
            for (var number = _first; number < _end; number++)
                grown[number & (grown.Length - 1)] = ring[number & (ring.Length - 1)];
            Volatile.Write(ref _ring, grown);
            ring = grown;
        }

        ring[_end & (ring.Length - 1)] = entry;
        Volatile.Write(ref _end, _end + 1);
    }

    public ref readonly WireEntry this[long number]
    {
        get
        {
            var ring = Volatile.Read(ref _ring);
            return ref ring[number & (ring.Length - 1)];
        }
    }

    /// <summary>A viewer can start at a message that was added before.</summary>
    public void SetPreamble(long number, WirePreamble preamble) => _ring[number & (_ring.Length - 1)].Preamble = preamble;

    /// <summary>
    /// Number of the message that holds <paramref name="position"/>; the oldest kept when that is later, <see cref="End"/>
    /// when none is kept.
    /// </summary>
    public long Find(long position)
    {
        while (true)
        {
            var first = First;
            var number = Search(position, first, End - 1);
            // An entry below the reader's slot may be forgotten, and its place taken by a newer one, while the search looks
            // at it. Then First has moved, and what was seen is worth nothing.
            Volatile.ReadBarrier();
            if (First == first)
                return number;
        }
    }

    private long Search(long position, long low, long high)
    {
        while (low < high)
        {
            var middle = low + ((high - low + 1) / 2);
            if (this[middle].Start <= position)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    /// <summary>Forgets every message that starts below <paramref name="position"/>.</summary>
    public void ReleaseBelow(long position)
    {
        while (_first < _end && this[_first].Start < position)
        {
            _ring[_first & (_ring.Length - 1)] = default;
            Volatile.Write(ref _first, _first + 1);
        }

        // The places may be taken again from here on, but not before their release can be seen (see Find).
        Interlocked.MemoryBarrier();
    }
}
