using System.Globalization;
using Millrace.Media;
using Millrace.Node.Hls;
using Millrace.Node.Metrics;
using Millrace.Node.Sessions;
using Millrace.Streams;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;

namespace Millrace.Node.Api;

/// <summary>What the API says of streams and sessions. Figures are read without stopping anybody, so they need not be of one moment.</summary>
internal static class StreamReport
{
    public static StreamReply Of(LiveStream stream, IEnumerable<NodeSession> sessions, NodeContext node)
    {
        var era = stream.State == StreamState.Idle ? null : stream.Timeline.Era;
        var holder = stream.Holder?.Info;
        return new StreamReply(
            stream.Name.ToString(),
            stream is { State: StreamState.Live, IsWaiting: true } ? "starting" : stream.State.ToString().ToLowerInvariant(),
            stream.LiveSinceMicros == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(stream.LiveSinceMicros / 1_000),
            IdOf(stream),
            era?.Number,
            holder is null ? null : new PublisherReply(holder.SessionId, holder.Protocol, holder.Remote),
            era is null ? [] : [.. era.Tracks.Where(track => track.Kind != TrackKind.Data).Select(Of)],
            ViewersOf(stream.Name, sessions, node.HlsAudience),
            stream.HeldLogBytes,
            stream.HeldWireBytes,
            stream.HeldHlsBytes,
            era is null ? null : HlsOf(stream),
            node.Upstreams.TryFind(stream.Name, out var puller) ? PathReport.Of(puller, stream) : null,
            stream.IsAuthority ? null : PathReport.PathOf(stream));
    }

    public static string IdOf(LiveStream stream) => stream.Timeline.Id.ToString("x16", CultureInfo.InvariantCulture);

    private static HlsReply? HlsOf(LiveStream stream)
    {
        if (stream.Cuts.IsEmpty)
            return null;
        var cuts = stream.Cuts[0];
        return new HlsReply(
            [.. stream.HlsFormats.Select(static format => format == HlsFormat.LowLatency ? "ll" : "ts")],
            cuts.TargetSeconds, cuts.Part.Micros > 0 ? cuts.Part.Micros / 1e6 : null, cuts.Segment, cuts.HardCuts);
    }

    public static SessionReply Of(NodeSession session)
    {
        var traffic = session.Traffic;
        return new SessionReply(
            session.Id, session.Protocol, session.RoleName, session.Stream!.ToString(), session.Remote.ToString(), session.Agent, session.Started,
            traffic?.BytesIn ?? 0, traffic?.BytesOut ?? 0, traffic?.LagBytes ?? 0,
            traffic?.Skips ?? 0, traffic?.SkippedMessages ?? 0);
    }

    private static ViewersReply ViewersOf(StreamName stream, IEnumerable<NodeSession> sessions, HlsAudience audience)
    {
        var byProtocol = new SortedDictionary<string, int>(StringComparer.Ordinal);
        long lag = 0, skips = 0;
        foreach (var session in sessions)
        {
            if (session.Role != SessionRole.Player)
                continue;
            byProtocol[session.Protocol] = byProtocol.GetValueOrDefault(session.Protocol) + 1;
            lag = Math.Max(lag, session.Traffic?.LagBytes ?? 0);
            skips += session.Traffic?.Skips ?? 0;
        }

        foreach (var format in (ReadOnlySpan<TrafficFormat>)[TrafficFormat.LlHls, TrafficFormat.TsHls])
        {
            if (audience.Count(stream, format) is > 0 and var count)
                byProtocol[TrafficFormats.NameOf(format)] = count;
        }

        return new ViewersReply(byProtocol.Values.Sum(), byProtocol, lag, skips);
    }

    private static TrackReply Of(Track track)
    {
        var isVideo = track.Kind == TrackKind.Video;
        var config = track.Config;
        var stats = track.Stats;
        return new TrackReply(
            track.Id, track.Kind.ToString().ToLowerInvariant(), CodecInfo.NameOf(track.Codec), config?.CodecString, track.Configs.Length,
            isVideo ? config?.Width : null, isVideo ? config?.Height : null,
            isVideo ? null : config?.SampleRate, isVideo ? null : config?.Channels,
            track.Language, track.Label, Math.Round(stats.Bitrate), isVideo ? Math.Round(stats.Rate, 2) : null,
            isVideo && stats.KeyIntervalMicros > 0 ? stats.KeyIntervalMicros / 1e6 : null,
            isVideo ? track.Reorder : null, stats.Units, stats.Bytes);
    }
}
