using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;
using Millrace.Streams.Relay;

namespace Millrace.Streams.Publishing;

/// <summary>Appends the entries of another node's log as they are. Belongs to the holder of the stream's lock.</summary>
internal sealed class ReplicaFollower(LiveStream stream)
{
    /// <summary>No coder reorders over more than this, seconds; what claims more is broken.</summary>
    private const int MaxReorderSeconds = 10;

    private const long DefaultFrameMicros = 33_333;

    /// <summary>
    /// How far playlists may be ahead of the log, entries: more than a wire log keeps of the longest time that can be set for it (1 h of some hundred
    /// units a second), so that a node could not send what lies between.
    /// </summary>
    private const long MaxAhead = 1 << 20;

    private readonly Dictionary<HlsFormat, RelayPlaylists> _playlists = [];
    private readonly HashSet<HlsFormat> _wanted = [];
    private long[] _lastDts = [];
    private long[] _frames = [];

    private long Next => stream.Log?.End ?? 0;

    /// <summary>Units of these tracks follow.</summary>
    public void TakeTracks(Era? era)
    {
        _lastDts = new long[era?.Tracks.Length ?? 0];
        Array.Fill(_lastDts, -1);
        _frames = new long[_lastDts.Length];
        Array.Fill(_frames, DefaultFrameMicros);
    }

    public void Clear()
    {
        _playlists.Clear();
        _wanted.Clear();
    }

    /// <summary>The playlists of the form are asked for.</summary>
    public void Want(HlsFormat format) => _wanted.Add(format);

    public string? SetMetadata(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > StreamMetadata.MaxBytes)
            return "metadata that are too long";
        stream.ChangeMetadata(payload.ToArray());
        return null;
    }

    /// <param name="payload">Of the message.</param>
    /// <param name="isNew">The entry behind it is not here yet.</param>
    public string? SetClock(ReadOnlySpan<byte> payload, bool isNew)
    {
        if (!stream.Hops.TryTake(payload, isNew, out var epoch))
            return "a clock that cannot be read";
        if (isNew && stream.Timeline.Era is { } era)
            era.EpochMicros = epoch;
        return null;
    }

    /// <summary>
    /// Keeps what another node's playlists say until the log has come so far; false when it cannot be read. What nobody has asked for is not looked at:
    /// after a change of the connection playlists may come that are here already.
    /// </summary>
    public bool TryHold(ReadOnlySpan<byte> payload, bool isLive, long now)
    {
        if (payload is [var format, ..] && !_wanted.Contains((HlsFormat)format))
            return true;
        if (!RelayPlaylists.TryRead(payload, stream.Resources, out var playlists) || playlists.Number - Next > MaxAhead)
            return false;
        _playlists[playlists.Format] = playlists;
        BeginHls(isLive, now);
        return true;
    }

    public void BeginHls(bool isLive, long now)
    {
        if (_playlists.Count == 0 || !isLive)
            return;
        foreach (var playlists in _playlists.Values)
        {
            if (Next < playlists.Number)
                continue;
            _playlists.Remove(playlists.Format);
            _wanted.Remove(playlists.Format);
            stream.BeginHls(playlists, now);
        }
    }

    /// <summary>Returns null, or what is wrong with the entry.</summary>
    public string? Append(RelayMessageType type, ReadOnlySpan<byte> payload, long now)
    {
        if (type == RelayMessageType.Era)
            return FollowEra(payload);
        return stream.Timeline.Era is not { } era ? "an entry before the first Era" : type switch
        {
            RelayMessageType.Unit => FollowUnit(payload, era, now),
            RelayMessageType.Config => FollowConfig(payload, era),
            RelayMessageType.Mark => FollowMark(payload, era),
            RelayMessageType.Pause => FollowPause(payload, era),
            RelayMessageType.Fork => FollowFork(payload, era),
            _ => $"a message of the log of type {(int)type}",
        };
    }

    private string? FollowEra(ReadOnlySpan<byte> payload)
    {
        var input = new RelayReader(payload);
        if (!RelayFields.TryRead(ref input, out Era? era) || era.Number <= (stream.Timeline.Era?.Number ?? -1))
            return "an Era that cannot be read";
        TakeTracks(era);
        stream.FollowEra(era);
        return null;
    }

    private string? FollowUnit(ReadOnlySpan<byte> payload, Era era, long now)
    {
        if (!RelayEntry.TryReadUnit(payload, era, out var unit, out var data))
            return "an access unit that cannot be read";
        var track = era.Tracks[unit.Track];
        ref var last = ref _lastDts[unit.Track];
        if (unit.Dts <= last || unit.Pts - unit.Dts > (long)MaxReorderSeconds * track.Timescale || data.IsEmpty)
            return "an access unit that does not follow the one before";
        if (last >= 0)
            _frames[unit.Track] = Math.Min(Timescale.Convert(unit.Dts - last, track.Timescale, Timescale.Microseconds), Timescale.Microseconds);
        last = unit.Dts;
        unit.ArrivedMicros = now;
        track.Reorder |= unit.Pts != unit.Dts;
        track.Stats.Add(data.Length, unit.IsKey, unit.DtsMicros, now);
        var end = track.Kind == TrackKind.Data ? 0 : unit.DtsMicros + _frames[unit.Track];
        return stream.FollowUnit(ref unit, data, end) ? null : "the media memory budget is used up";
    }

    private string? FollowConfig(ReadOnlySpan<byte> payload, Era era)
    {
        if (!RelayEntry.TryReadConfig(payload, era, out var entry))
            return "a Config that cannot be read";
        stream.FollowConfig(entry);
        return null;
    }

    private string? FollowMark(ReadOnlySpan<byte> payload, Era era)
    {
        if (!RelayEntry.TryReadMark(payload, era, out var mark))
            return "a Mark that cannot be read";
        stream.FollowMark(mark);
        return null;
    }

    private string? FollowPause(ReadOnlySpan<byte> payload, Era era)
    {
        if (!RelayEntry.TryReadPause(payload, era, out var entry))
            return "a pause that cannot be read";
        stream.FollowPause(entry);
        return null;
    }

    private string? FollowFork(ReadOnlySpan<byte> payload, Era era)
    {
        if (!RelayEntry.TryReadFork(payload, era, out var entry, out var path))
            return "a fork that cannot be read";
        stream.FollowFork(entry, path);
        return null;
    }
}
