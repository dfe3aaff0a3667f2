using Millrace.Streams.Log;

namespace Millrace.Streams.Hls;

/// <summary>
/// The HLS packagers of one stream: those of the running Timeline, and those of ended ones whose objects can still be fetched.
/// Belongs to the holder of the stream's lock, but for what is said to be for any thread.
/// </summary>
internal sealed class HlsPackagers
{
    private HlsPackager[] _active = [];
    private HlsPackager[] _retired = [];

    /// <summary>Those of the running Timeline. Replaced whole, so that it may change while somebody goes through it; any thread.</summary>
    public HlsPackager[] Active => Volatile.Read(ref _active);

    public bool IsEmpty => _active.Length == 0 && _retired.Length == 0;

    public long HeldBytes => Active.Sum(packager => packager.Memory.HeldBytes) + Volatile.Read(ref _retired).Sum(packager => packager.Memory.HeldBytes);

    /// <summary>Any thread.</summary>
    public HlsPackager? Find(HlsFormat format)
    {
        foreach (var packager in Active)
        {
            if (packager.Format == format)
                return packager;
        }

        return null;
    }

    /// <summary>Of the Timeline that ended last; any thread.</summary>
    public HlsPackager? FindRetired(HlsFormat format) => Array.FindLast(Volatile.Read(ref _retired), packager => packager.Format == format);

    /// <summary>By the key in the names of its objects; any thread.</summary>
    public HlsPackager? Find(HlsFormat format, string key)
    {
        foreach (var packagers in (ReadOnlySpan<HlsPackager[]>)[Active, Volatile.Read(ref _retired)])
        {
            foreach (var packager in packagers)
            {
                if (packager.Format == format && packager.IsNamed(key))
                    return packager;
            }
        }

        return null;
    }

    public void Add(HlsPackager packager) => Volatile.Write(ref _active, [.. _active, packager]);

    /// <summary>Time has come to <paramref name="now"/>; to be said before the Marks of that time.</summary>
    public void Advance(long now)
    {
        foreach (var packager in _active)
            packager.Advance(now);
    }

    /// <summary>The Timeline has ended.</summary>
    public void Retire(long now)
    {
        foreach (var packager in _active)
            packager.Retire(now);
        Volatile.Write(ref _retired, [.. _retired, .. _active]);
        Volatile.Write(ref _active, []);
    }

    /// <summary>A Timeline that had ended here goes on: what is left of it would stand before what comes.</summary>
    public void Forget(string key)
    {
        foreach (var packager in _retired)
        {
            if (packager.IsNamed(key))
                packager.Dispose();
        }

        Volatile.Write(ref _retired, Array.FindAll(_retired, packager => !packager.IsNamed(key)));
    }

    /// <summary>What was packaged so far cannot be gone on with.</summary>
    public void Stop()
    {
        foreach (var packager in _active)
            Stop(packager);
    }

    /// <summary>Position in the stream log from which on it is still to be packaged.</summary>
    public long NeededFrom
    {
        get
        {
            var needed = long.MaxValue;
            foreach (var packager in _active)
                needed = Math.Min(needed, packager.Memory.NeededFrom);
            return needed;
        }
    }

    /// <summary>
    /// Stops what nobody has asked for, with <paramref name="isShort"/> as soon as nobody can be waiting for it; forgets what has
    /// been fetchable for long enough.
    /// </summary>
    public void Sweep(long now, bool isShort)
    {
        foreach (var packager in _active)
        {
            packager.Memory.Expire(now);
            if (packager.IsIdle(now) || (isShort && packager.IsSpare(now)))
                Stop(packager);
        }

        foreach (var packager in _retired)
        {
            packager.Memory.Expire(now);
            if (packager.Memory.IsDrained)
                Volatile.Write(ref _retired, Array.FindAll(_retired, other => other != packager));
        }
    }

    /// <summary>Frees what a level of shedding lets go, until <paramref name="bytes"/> are free. Returns the bytes.</summary>
    public long Shed(ShedLevel level, long now, long bytes)
    {
        var freed = 0L;
        foreach (var packager in _active)
        {
            if (freed >= bytes)
                return freed;
            freed += level switch
            {
                ShedLevel.Idle when packager.IsSpare(now) => Stop(packager),
                ShedLevel.Retained => packager.Memory.ShedRetained(bytes - freed),
                ShedLevel.Windows => packager.Memory.ShedWindows(bytes - freed),
                _ => 0,
            };
        }

        // Of an ended stream nothing is left but what is retained.
        for (var i = 0; level == ShedLevel.Retained && i < _retired.Length && freed < bytes; i++)
            freed += _retired[i].Memory.ShedRetained(bytes - freed);
        return freed;
    }

    private long Stop(HlsPackager packager)
    {
        var held = packager.Memory.HeldBytes;
        Volatile.Write(ref _active, Array.FindAll(_active, other => other != packager));
        packager.Dispose();
        return held;
    }
}
