using System.Buffers;
using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Buffers;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Relay;

namespace Millrace.Streams.Publishing;

/// <summary>
/// Another node's Timeline as a publisher of this node's: viewers have begun with one that is not to be had any more, and go on with a new Era of
/// it. What decides about time and cuts is this node. Belongs to the holder of the stream's lock.
/// </summary>
internal sealed class Republisher
{
    private readonly LiveStream _stream;
    private readonly long _head;
    private readonly List<Held> _held = [];
    private Era? _era;
    private long _incoming;
    private long _heldBytes;
    private bool _isThrough;

    private Republisher(LiveStream stream, PublisherLease lease, RelayStart start, long head)
    {
        (_stream, Lease, _head, _incoming, Next) = (stream, lease, head, start.Number, start.Number);
    }

    public PublisherLease Lease { get; }

    /// <summary>Number of the other Timeline's entry that is needed next.</summary>
    public long Next { get; private set; }

    /// <summary>Makes the other Timeline the stream's publisher; null with the reason where there is another.</summary>
    /// <param name="stream">The stream, which is live; who has appended before has gone.</param>
    /// <param name="info">Who publishes.</param>
    /// <param name="onRevoked">As of <see cref="LiveStream.TryAcquire"/>.</param>
    /// <param name="start">What the other node says of its Timeline.</param>
    /// <param name="head">Where that reaches: viewers begin with the newest key frame before.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="refusal">Why it is not possible.</param>
    public static Republisher? TryBegin(
        LiveStream stream, PublisherInfo info, Action<string> onRevoked, RelayStart start, long head, long now, out string? refusal)
    {
        if (stream.TryAcquire(info, onRevoked, now, out refusal) is not { } lease)
            return null;
        var republisher = new Republisher(stream, lease, start, head);
        if (!start.Metadata.IsEmpty)
            lease.SetMetadata(start.Metadata.Span, now);
        if (start.Era is { } era)
            republisher.Begin(era);
        return republisher;
    }

    /// <summary>Another connection begins with the entry of that number; what was taken already is left out.</summary>
    public void Continue(long number) => _incoming = number;

    public string? Receive(RelayMessageType type, ReadOnlySpan<byte> payload, long now)
    {
        if (type == RelayMessageType.Metadata)
            return payload.Length <= StreamMetadata.MaxBytes ? Explain(Lease.SetMetadata(payload, now)) : "metadata that are too long";
        if (type == RelayMessageType.Clock || _incoming++ < Next)
            return null;
        Next = _incoming;
        if (type == RelayMessageType.Era)
            return BeginEra(payload);
        if (_era is null)
            return "an entry before the first Era";
        return type switch
        {
            RelayMessageType.Config => SetConfig(payload),
            RelayMessageType.Unit => Take(payload, now),
            // What the other node has decided about cuts is decided here.
            _ => null,
        };
    }

    public void Leave(long grace, long now)
    {
        Release();
        _stream.LeaveOwn(Lease, grace, now);
    }

    private string? BeginEra(ReadOnlySpan<byte> payload)
    {
        var input = new RelayReader(payload);
        if (!RelayFields.TryRead(ref input, out Era? era))
            return "an Era that cannot be read";
        Begin(era);
        return null;
    }

    private void Begin(Era era)
    {
        _era = era;
        Lease.Promise(era.HasVideo, Array.Exists(era.Tracks, static track => track.Kind == TrackKind.Audio));
        foreach (var track in era.Tracks)
        {
            if (track.Config is { } config)
                Lease.SetConfig(track.SourceId, config);
        }
    }

    private string? SetConfig(ReadOnlySpan<byte> payload)
    {
        if (!RelayEntry.TryReadConfig(payload, _era!, out var entry))
            return "a Config that cannot be read";
        var track = _era!.Tracks[entry.Track];
        return Explain(Lease.SetConfig(track.SourceId, track.Configs[entry.Number]));
    }

    private string? Take(ReadOnlySpan<byte> payload, long now)
    {
        if (!RelayEntry.TryReadUnit(payload, _era!, out var unit, out var data))
            return "an access unit that cannot be read";
        if (unit.IsKey && unit.Track == _era!.Leading?.Id && !_isThrough && Next <= _head)
            Release();
        // More than a log holds cannot come before its head: what there is goes to viewers, and all that follows, wherever the head is said to be.
        _isThrough |= Next > _head || _heldBytes + data.Length > _stream.Resources.Options.LogLimits.KeepBytes || _held.Count == StreamLog.MaxEntries;
        if (_isThrough)
            return Flush(now) ?? Append(unit, data, now);
        if (!_stream.Resources.Budget[MemoryUse.PendingUnits].TryCharge(data.Length))
            return "the media memory budget is used up";
        var copy = ArrayPool<byte>.Shared.Rent(data.Length);
        data.CopyTo(copy);
        _held.Add(new Held(unit, copy, data.Length));
        _heldBytes += data.Length;
        return null;
    }

    private string? Flush(long now)
    {
        string? error = null;
        foreach (var (unit, data, length) in _held)
            error ??= Append(unit, data.AsSpan(0, length), now);
        Release();
        return error;
    }

    private string? Append(in LogEntry unit, ReadOnlySpan<byte> data, long now)
    {
        var track = _era!.Tracks[unit.Track];
        return Explain(track.Kind == TrackKind.Data
            ? Lease.AppendData(unit.DtsMicros, data, now)
            : Lease.Append(track.Kind, track.SourceId, unit.DtsMicros, Timescale.Convert(unit.Pts - unit.Dts, track.Timescale, Timescale.Microseconds), unit.IsKey, data, now));
    }

    private void Release()
    {
        foreach (var held in _held)
        {
            _stream.Resources.Budget[MemoryUse.PendingUnits].Release(held.Length);
            ArrayPool<byte>.Shared.Return(held.Data);
        }

        _held.Clear();
        _heldBytes = 0;
    }

    private static string? Explain(AppendResult result) => result switch
    {
        AppendResult.Done => null,
        AppendResult.Stale => "another publisher took the stream over",
        AppendResult.OutOfMemory => "the media memory budget is used up",
        _ => $"more than {PublisherLease.MaxTracks} tracks",
    };

    private readonly record struct Held(LogEntry Unit, byte[] Data, int Length);
}
