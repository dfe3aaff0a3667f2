using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Protocols.Rtmp;
using Millrace.Streams.Log;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Packaging;

/// <summary>
/// Turns a stream's access units into the messages of one wire log: RTMP and FLV share their message bodies.
/// </summary>
internal sealed class FlvPackager(LiveStream stream, WireKey key) : WirePackager(stream, key)
{
    private const byte DataType = (byte)RtmpMessageType.DataAmf0;

    /// <summary>An AMF0 string: marker, length, name.</summary>
    private static ReadOnlySpan<byte> MetadataStart => "\x02\x00\x0AonMetaData"u8;

    private readonly int _chunkSize = stream.Resources.Options.RtmpChunkSize;
    private readonly byte[] _head = new byte[FlvBodyWriter.MaxHeaderLength];
    private bool[] _carried = [];
    private int[] _configs = [];
    private Track? _leading;
    private Era? _era;
    private WirePreamble? _preamble;
    private long _announcedEpoch;

    private bool IsEmpty => _era is not null && _leading is null;

    public override string? WhyEmpty()
    {
        if (!IsEmpty)
            return null;
        var codecs = Array.ConvertAll(Array.FindAll(_era!.Tracks, track => track.Kind != TrackKind.Data), track => CodecInfo.NameOf(track.Codec));
        return $"{string.Join(", ", codecs)} cannot be carried in {Wire.Key.Form.ToString().ToLowerInvariant()} {Wire.Key.Format.ToString().ToLowerInvariant()}";
    }

    /// <summary>Writes what the log holds from its join point on, as it would have been written when it came.</summary>
    public override void BackFill(StreamLog log)
    {
        if (log.JoinNumber < 0)
        {
            if (Stream.Timeline.Era is { } current)
                Begin(current, static track => Math.Max(0, track.Configs.Length - 1));
            return;
        }

        ref readonly var join = ref log[log.JoinNumber];
        var era = log.EraOf(join.EraNumber);
        SetEra(era);
        foreach (var track in era.Tracks)
            _configs[track.Id] = log.ConfigAt(log.JoinNumber, track);
        Announce(MillisOf(join));
        for (var number = log.JoinNumber; number < log.End; number++)
        {
            ref readonly var entry = ref log[number];
            if (entry.Kind == LogEntryKind.Unit)
                OnUnit(entry, log);
            else if (entry.Kind == LogEntryKind.Config)
                OnConfig(entry, log);
            else if (entry.Kind == LogEntryKind.EraStart)
                OnEra(log.EraOf(entry.Number));
        }
    }

    public override void OnEra(Era era) => Begin(era, static _ => 0);

    private void Begin(Era era, Func<Track, int> configOf)
    {
        SetEra(era);
        foreach (var track in era.Tracks)
            _configs[track.Id] = configOf(track);
        if (IsEmpty && Wire.Key.Tracks == WireTracks.All)
        {
            Wire.Signal(WireSignal.Unsupported);
            return;
        }

        Announce(Timescale.Convert(era.StartMicros, Timescale.Microseconds, Timescale.Milliseconds));
    }

    public override void OnConfig(in LogEntry entry, StreamLog log)
    {
        if (_era is null || !_carried[entry.Track])
            return;
        var track = _era.Tracks[entry.Track];
        _configs[track.Id] = entry.Number;
        RebuildPreamble();
        var header = SequenceHeader(track);
        if (!header.IsEmpty)
            WriteHeader(new WireHeader(TypeOf(track), header), MillisOf(entry));
    }

    /// <summary>The stream's metadata have changed: joiners get the new ones. The message itself comes as a unit.</summary>
    public override void OnMetadata()
    {
        if (_era is not null)
            RebuildPreamble();
    }

    public override void OnUnit(in LogEntry entry, StreamLog log)
    {
        if (_era is null || !_carried[entry.Track] || IsStopped)
            return;
        var track = _era.Tracks[entry.Track];
        var dts = MillisOf(entry);
        var head = 0;
        if (track.Kind != TrackKind.Data)
        {
            var cts = Timescale.Convert(entry.Pts, track.Timescale, Timescale.Milliseconds) - Timescale.Convert(entry.Dts, track.Timescale, Timescale.Milliseconds);
            head = FlvBodyWriter.WriteFrames(_head, track.Configs[entry.Number], Wire.Key.Form, entry.IsKey, (int)cts, WireIdOf(track));
        }

        var isJoinPoint = track == _leading && (entry.IsKey || track.Kind == TrackKind.Audio);
        if (head + entry.Length > FlvTagHeader.MaxBodyLength)
        {
            // Neither an RTMP message nor an FLV tag can be longer.
            Wire.Refuse();
            return;
        }

        var timestamp = IsMetadata(entry, log) ? 0 : (uint)dts;
        var length = WireFraming.Measure(Wire.Key, _chunkSize, timestamp, head + entry.Length);
        MakeRoom(length, isJoinPoint, entry.ArrivedMicros);
        if (isJoinPoint && !IsReady(length, dts))
            return;
        if (!Wire.TryBegin(length, dts, isJoinPoint ? _preamble : null, _leading?.Kind == TrackKind.Audio))
            return;
        WireFraming.Append(Wire.Bytes, Wire.Key, _chunkSize, TypeOf(track), timestamp, _head.AsSpan(0, head), log.Bytes, entry.Position, entry.Length);
        Wire.Commit();
    }

    /// <summary>onMetaData in mid-stream is sent as in a preamble (<see cref="WireHeader.TimestampAt"/>).</summary>
    private bool IsMetadata(in LogEntry entry, StreamLog log)
    {
        if (_era!.Tracks[entry.Track].Kind != TrackKind.Data || entry.Length < MetadataStart.Length)
            return false;
        Span<byte> start = stackalloc byte[MetadataStart.Length];
        log.Bytes.CopyTo(entry.Position, start);
        return start.SequenceEqual(MetadataStart);
    }

    private bool IsReady(long length, long dtsMillis)
    {
        if (Math.Abs(_era!.EpochMicros - _announcedEpoch) > TimelineTag.ToleranceMicros)
            RenewTimeline(dtsMillis);
        if (!Wire.AwaitsJoinPoint)
            return true;
        // Viewers who go on across the gap may have missed an announcement in it.
        Wire.Resume(length);
        foreach (var header in _preamble!.Headers)
            WriteHeader(header, dtsMillis);
        return !Wire.AwaitsJoinPoint;
    }

    /// <summary>The wall clock of the media has been corrected: joiners and those who are there are told.</summary>
    private void RenewTimeline(long dtsMillis)
    {
        RebuildPreamble();
        if (Wire.Key.Format != WireFormat.Rtmp)
            WriteHeader(new WireHeader(DataType, TimelineTag.Write(Stream.Timeline.Id, _era!)), dtsMillis);
    }

    private long MillisOf(in LogEntry entry) =>
        Timescale.Convert(entry.Dts, _era!.Tracks[entry.Track].Timescale, Timescale.Milliseconds);

    private void SetEra(Era era)
    {
        _era = era;
        _carried = new bool[era.Tracks.Length];
        _configs = new int[era.Tracks.Length];
        foreach (var track in era.Tracks)
            _carried[track.Id] = Carries(track);
        _leading = FindLeading(TrackKind.Video) ?? FindLeading(TrackKind.Audio);
    }

    /// <summary>Viewers of this log join by what it carries: a player that is sent no video joins by audio.</summary>
    private Track? FindLeading(TrackKind kind) => Array.Find(_era!.Tracks, track => track.Kind == kind && _carried[track.Id]);

    private void Announce(long dtsMillis)
    {
        RebuildPreamble();
        foreach (var header in _preamble!.Headers)
            WriteHeader(header, dtsMillis);
        Wire.Commit();
    }

    /// <summary>A legacy player knows one track of each kind, and no number for it.</summary>
    private byte WireIdOf(Track track) => Wire.Key.Form == FlvForm.Legacy ? (byte)0 : track.WireId;

    private bool Carries(Track track)
    {
        var (form, tracks) = (Wire.Key.Form, Wire.Key.Tracks);
        if (track.Kind == TrackKind.Data)
            return true;
        if (track.Kind == (tracks == WireTracks.AudioOnly ? TrackKind.Video : TrackKind.Audio) && tracks != WireTracks.All)
            return false;
        if (!FlvBodyWriter.CanCarry(track.Codec, form))
            return false;
        // Of each kind a legacy player gets the first that it can decode.
        return form == FlvForm.Enhanced || !Array.Exists(_era!.Tracks, other => other.Kind == track.Kind && other.Id < track.Id && FlvBodyWriter.CanCarry(other.Codec, form));
    }

    private void RebuildPreamble()
    {
        var headers = new List<WireHeader>();
        if (!Stream.Metadata.IsEmpty)
            headers.Add(new WireHeader(DataType, Stream.Metadata));
        else
            headers.Add(new WireHeader(DataType, StreamMetadata.Describe(_era!)));
        if (Wire.Key.Format != WireFormat.Rtmp)
            headers.Add(new WireHeader(DataType, TimelineTag.Write(Stream.Timeline.Id, _era!)));
        _announcedEpoch = _era!.EpochMicros;
        foreach (var track in _era.Tracks)
        {
            if (_carried[track.Id] && SequenceHeader(track) is { IsEmpty: false } header)
                headers.Add(new WireHeader(TypeOf(track), header));
        }

        _preamble = new WirePreamble([.. headers]);
    }

    private ReadOnlyMemory<byte> SequenceHeader(Track track)
    {
        if (track.Configs.IsEmpty || track.Configs[_configs[track.Id]] is not { InitData.IsEmpty: false } config)
            return default;
        var body = new byte[FlvBodyWriter.MaxHeaderLength + config.InitData.Length];
        var head = FlvBodyWriter.WriteSequenceStart(body, config, Wire.Key.Form, WireIdOf(track));
        config.InitData.Span.CopyTo(body.AsSpan(head));
        return body.AsMemory(0, head + config.InitData.Length);
    }

    private void WriteHeader(in WireHeader header, long dtsMillis)
    {
        var timestamp = header.TimestampAt(dtsMillis);
        var length = WireFraming.Measure(Wire.Key, _chunkSize, timestamp, header.Body.Length);
        if (Wire.TryBegin(length, dtsMillis, null, keepsEverywhere: false))
            WireFraming.Append(Wire.Bytes, Wire.Key, _chunkSize, header.Type, timestamp, header.Body.Span, null, 0, 0);
    }

    private static byte TypeOf(Track track) => track.Kind switch
    {
        TrackKind.Audio => (byte)RtmpMessageType.Audio,
        TrackKind.Video => (byte)RtmpMessageType.Video,
        _ => DataType,
    };
}
