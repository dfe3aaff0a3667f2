using Millrace.Streams.Log;
using Millrace.Streams.Relay;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Packaging;

/// <summary>
/// The wire logs of one stream: which there are, and who reads them. Frames do not pass here, the stream hands them to each of
/// <see cref="Active"/>. Belongs to the holder of the stream's lock.
/// </summary>
internal sealed class WirePackagers
{
    /// <summary>Wire logs at once: every format and form has room; one made-up variant after the other has not.</summary>
    public const int Most = 24;

    private readonly Dictionary<WireKey, WirePackager> _byKey = [];

    /// <summary>Replaced whole, so that it may change while somebody goes through it.</summary>
    public WirePackager[] Active { get; private set; } = [];

    public long HeldBytes => Active.Sum(packager => packager.Wire.Bytes.HeldBytes);

    /// <summary>
    /// Gives the wire log of a format with the reader attached, started if it is the first to ask. Null with the reason when
    /// the stream is live with nothing that the format can carry.
    /// </summary>
    /// <param name="stream">Whose.</param>
    /// <param name="key">Format and variant.</param>
    /// <param name="reader">The reader to attach.</param>
    /// <param name="log">What a new wire log is filled from; null when the stream is not live.</param>
    /// <param name="unsupported">What the format cannot carry.</param>
    public WireLog? Attach(LiveStream stream, WireKey key, WireReader reader, StreamLog? log, out string? unsupported)
    {
        unsupported = null;
        if (!_byKey.TryGetValue(key, out var packager))
        {
            if (_byKey.Count >= Most)
            {
                unsupported = "too many variants of the stream are being played";
                return null;
            }

            packager = key.Format == WireFormat.Relay ? new RelayPackager(stream, key) : new FlvPackager(stream, key);
            if (log is not null)
                packager.BackFill(log);
            _byKey.Add(key, packager);
            Active = [.. _byKey.Values];
        }

        if (log is not null && packager.WhyEmpty() is { } empty)
        {
            unsupported = empty;
            if (packager.Wire.Readers.Length == 0)
                Remove(packager);
            return null;
        }

        packager.Wire.AddReader(reader);
        return packager.Wire;
    }

    public WirePackager? Find(WireKey key) => _byKey.GetValueOrDefault(key);

    public bool HasReaders => Array.Exists(Active, static packager => packager.Wire.Readers.Length > 0);

    public void Detach(WireLog wire, WireReader reader, long now)
    {
        wire.RemoveReader(reader);
        wire.Reclaim();
        if (wire.Readers.Length > 0)
            return;
        if (_byKey.TryGetValue(wire.Key, out var packager) && packager.Wire == wire)
            packager.IdleSince = now;
        else
            wire.Dispose();
    }

    /// <summary>What a format cannot carry of the Era; null: there is something, or no such wire log.</summary>
    public string? WhyEmpty(WireKey key) =>
        _byKey.TryGetValue(key, out var packager) ? packager.WhyEmpty() : null;

    /// <summary>
    /// Ends those that nobody has read for <paramref name="linger"/> microseconds. Of the others it takes back what readers have passed since the last commit: the next
    /// may be long in coming.
    /// </summary>
    public void Sweep(long now, long linger)
    {
        foreach (var packager in Active)
        {
            if (packager.Wire.Readers.Length == 0 && now - packager.IdleSince >= linger)
                Remove(packager);
            else
                packager.Wire.Reclaim();
        }
    }

    public void Signal(WireSignal signal)
    {
        foreach (var packager in Active)
            packager.Wire.Signal(signal);
    }

    /// <summary>The Timeline has ended.</summary>
    public void End()
    {
        foreach (var packager in Active)
        {
            packager.Wire.Signal(WireSignal.Ended);
            Remove(packager);
        }
    }

    /// <summary>Ends those that nobody reads, until <paramref name="bytes"/> are free. Returns the bytes.</summary>
    public long ShedIdle(long bytes)
    {
        var freed = 0L;
        foreach (var packager in Active)
        {
            if (freed >= bytes)
                break;
            if (packager.Wire.Readers.Length > 0)
                continue;
            freed += packager.Wire.Bytes.HeldBytes;
            Remove(packager);
        }

        return freed;
    }

    /// <summary>Shortens all of them. Returns the bytes.</summary>
    public long ShedLogs()
    {
        var freed = 0L;
        foreach (var packager in Active)
            freed += packager.Wire.ShedToJoinPoint();
        return freed;
    }

    private void Remove(WirePackager packager)
    {
        packager.IsStopped = true;
        _byKey.Remove(packager.Wire.Key);
        Active = [.. _byKey.Values];
        if (packager.Wire.Readers.Length == 0)
            packager.Wire.Dispose();
    }
}
