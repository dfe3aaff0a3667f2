using Millrace.Streams.Buffers;

namespace Millrace.Streams.Hls;

/// <summary>Where a packager's segments take their bytes from, and when they give them back.</summary>
internal sealed class HlsMemory(LiveStream stream, HlsPackager packager)
{
    private readonly StreamResources _resources = stream.Resources;

    public IBlockPool Pool => _resources.Pool;

    /// <summary>Of segments in the making and of those that playlists list.</summary>
    public MemoryAccount Windows => _resources.Budget[MemoryUse.HlsWindows];

    /// <summary>Of segments that have left their playlist.</summary>
    public MemoryAccount Retained => _resources.Budget[MemoryUse.RetainedObjects];

    /// <summary>Bytes in the blocks of all segments.</summary>
    public long HeldBytes
    {
        get
        {
            var held = 0L;
            foreach (var rendition in packager.Renditions)
                held += rendition.HeldBytes;
            return held;
        }
    }

    /// <summary>The stream has ended, and nothing is left that could be fetched.</summary>
    public bool IsDrained
    {
        get
        {
            var isDrained = packager.IsRetired;
            foreach (var rendition in packager.Renditions)
                isDrained &= rendition.IsDrained;
            return isDrained;
        }
    }

    /// <summary>Position in the stream log from which on it is still to be packaged.</summary>
    public long NeededFrom
    {
        get
        {
            var needed = long.MaxValue;
            foreach (var rendition in packager.Renditions)
                needed = Math.Min(needed, rendition.NeededFrom);
            return needed;
        }
    }

    /// <summary>Makes room, in the end at the cost of others; false when there is none.</summary>
    public bool TryReserve(BlockLog target, long bytes)
    {
        while (_resources.Budget.IsFilling || !target.TryReserve(bytes))
        {
            // What nobody would miss takes from nobody: it is among the first to go.
            if (packager.IsSpare(packager.Now) || !_resources.Shed(stream, packager.Now, bytes + _resources.Budget.FillingExcess))
                return false;
        }

        return true;
    }

    /// <summary>Lets go of what has been fetchable for long enough.</summary>
    public void Expire(long now)
    {
        packager.Advance(now);
        foreach (var rendition in packager.Renditions)
            rendition.Expire();
    }

    /// <summary>Lets go of what no playlist lists, the oldest first, until <paramref name="bytes"/> are free. Returns the bytes.</summary>
    public long ShedRetained(long bytes)
    {
        var freed = 0L;
        foreach (var rendition in packager.Renditions)
            freed += rendition.ShedRetained(bytes - freed);
        return freed;
    }

    /// <summary>Shortens all playlists alike until <paramref name="bytes"/> are free, but none below three target durations. Returns the bytes.</summary>
    public long ShedWindows(long bytes)
    {
        var freed = 0L;
        for (var isShorter = !packager.Window.IsEvent; isShorter && freed < bytes;)
        {
            isShorter = false;
            foreach (var rendition in packager.Renditions)
            {
                isShorter |= rendition.TryShorten();
                freed += rendition.ShedRetained(long.MaxValue);
            }
        }

        packager.Publish();
        return freed;
    }
}
