using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>What the types alone cannot say: ranges, and settings that must agree. Reports everything at once.</summary>
internal static class SettingsValidator
{
    /// <summary>RTMP 1.0, 5.3.1.1 (ids up to 65,599); a handful is in use at once, even by unusual clients.</summary>
    private const int LeastChunkStreams = 8;
    private const int MostChunkStreams = 65_598;

    /// <summary>The length of a message is a number of 24 bits (RTMP 1.0, 6.1.1): 16 MB less one byte.</summary>
    private const long MostMessageBytes = 16L << 20;
    private const long LeastMediaBytes = 16L << 20;

    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWindow = TimeSpan.FromSeconds(10);

    public static void Check(NodeSettings settings, SettingsChecks checks)
    {
        Process(settings, checks);
        Limits(settings.Limits, checks);
        Rtmp(settings.Rtmp, checks);
        Listeners(settings, checks);
        var origin = settings.Http.Cors.AllowOrigin;
        checks.Require(!origin.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)), "http.cors.allow_origin",
            "must be *, one origin (https://example.org), or \"\" for none");
        Status(settings.Status, checks);
        HlsValidator.Check(settings.Hls, checks);
        Publish(settings.Publish, checks);
        checks.Duration("player.wait", settings.Player.Wait);
        Merge(settings.Merge, checks);
        checks.Duration("tracks.settle", settings.Tracks.Settle, LongestWindow);
        checks.Duration("tracks.audio_tolerance", settings.Tracks.AudioTolerance, Second);
        Streams(settings, checks);
        RelayValidator.Check(settings, checks);
        ClusterValidator.Check(settings.Cluster, checks);
        VhostValidator.Check(settings, checks);
    }

    private static void Process(NodeSettings settings, SettingsChecks checks)
    {
        if (settings.Memory.Media is { } media)
            checks.Size("memory.media", media, LeastMediaBytes, 1L << 50);
        if (settings.Shards.Count is { } count)
            checks.Count("shards.count", count, 0, 1024);
        checks.Duration("shutdown.deadline", settings.Shutdown.Deadline);
    }

    private static void Limits(LimitSettings limits, SettingsChecks checks)
    {
        checks.Count("limits.connections", limits.Connections, 0, 10_000_000);
        checks.Count("limits.connections_per_ip", limits.ConnectionsPerIp, 0, 10_000_000);
        checks.Positive("limits.request_timeout", limits.RequestTimeout, Millisecond);
        checks.Size("limits.request_head_bytes", limits.RequestHeadBytes, 1024, 1 << 20);
        checks.Positive("limits.idle_timeout", limits.IdleTimeout, Millisecond);
        checks.Duration("limits.write_timeout", limits.WriteTimeout);
    }

    private static void Rtmp(RtmpSettings rtmp, SettingsChecks checks)
    {
        checks.Duration("rtmp.timeout", rtmp.Timeout);
        checks.Positive("rtmp.handshake_timeout", rtmp.HandshakeTimeout, Millisecond);
        checks.Duration("rtmp.ping", rtmp.Ping);
        checks.Positive("rtmp.ping_timeout", rtmp.PingTimeout, Millisecond);
        checks.Count("rtmp.max_streams", rtmp.MaxStreams, LeastChunkStreams, MostChunkStreams);
        checks.Count("rtmp.ack_window", rtmp.AckWindow, 1024, int.MaxValue);
        checks.Count("rtmp.chunk_size", rtmp.ChunkSize, 128, 65_536);
        checks.Size("rtmp.max_message", rtmp.MaxMessage, 4096, MostMessageBytes);
        checks.Duration("rtmp.buffer_length", rtmp.BufferLength);
    }

    private static void Listeners(NodeSettings settings, SettingsChecks checks)
    {
        var seen = new List<(string Path, ListenEndpoint Endpoint)>();
        Collect("rtmp.listen", settings.Rtmp.Listen);
        Collect("http.listen", settings.Http.Listen);
        var tls = settings.Http.Tls;
        if (tls.IsEnabled)
            Collect("http.tls.listen", tls.Listen);
        Collect("api.listen", settings.Api.Listen);
        Collect("relay.listen", settings.Relay.Listen);
        if (settings.Relay.Tls.IsEnabled)
            Collect("relay.tls.listen", settings.Relay.Tls.Listen);
        if (tls.Certificate.Length > 0 != tls.Key.Length > 0)
            checks.Fail(tls.Key.Length > 0 ? "http.tls.certificate" : "http.tls.key", "is missing: TLS needs the files of a certificate and of its key, or neither");
        if (settings.Rtmp.Listen.Count + settings.Http.Listen.Count == 0 && !tls.IsEnabled)
            checks.Fail("rtmp.listen", "nothing to serve: rtmp.listen and http.listen are both empty");

        void Collect(string path, IReadOnlyList<ListenEndpoint> endpoints)
        {
            for (var i = 0; i < endpoints.Count; i++)
            {
                var own = FormattableString.Invariant($"{path}[{i}]");
                var other = seen.Find(s => s.Endpoint.Collides(endpoints[i]));
                if (other.Path is not null)
                    checks.Fail(own, $"{endpoints[i]} is taken by {other.Path} ({other.Endpoint})");
                seen.Add((own, endpoints[i]));
            }
        }
    }

    private static void Publish(PublishSettings publish, SettingsChecks checks)
    {
        checks.Token("publish.token", publish.Token);
        checks.Duration("publish.grace", publish.Grace);
        checks.Duration("publish.idle_timeout", publish.IdleTimeout);
    }

    private static void Status(StatusSettings status, SettingsChecks checks)
    {
        // RFC 7617, 2: the first colon ends the name.
        checks.Require(!status.Username.Any(c => c == ':' || char.IsControl(c)), "status.username", "must not contain ':' or control characters");
        checks.Require(!status.Password.Value.Any(char.IsControl), "status.password", "must not contain control characters");
        if (status.Username.Length > 0 != status.Password.IsSet)
            checks.Fail(status.Password.IsSet ? "status.username" : "status.password", "is missing: the status page needs a name and a password, or neither");
    }

    private static void Merge(MergeSettings merge, SettingsChecks checks)
    {
        checks.Duration("merge.default", merge.Default, LongestWindow);
        checks.Duration("merge.rtmp", merge.Rtmp ?? default, LongestWindow);
        checks.Duration("merge.flv", merge.Flv ?? default, LongestWindow);
        checks.Duration("merge.ws_flv", merge.WsFlv ?? default, LongestWindow);
        checks.Duration("merge.relay", merge.Relay ?? default, LongestWindow);
        for (var i = 0; i < merge.Streams.Count; i++)
        {
            var path = FormattableString.Invariant($"merge.streams[{i}]");
            checks.Duration($"{path}.window", merge.Streams[i].Window, LongestWindow);
            var match = merge.Streams[i].Match;
            checks.Require(match.Contains('*') || match.Count(c => c == '/') >= 2, $"{path}.match",
                match.Length == 0
                    ? "is missing: vhost/app/name, where * stands for anything"
                    : $"'{match}' is not vhost/app/name, and without * it matches nothing");
        }
    }

    private static void Streams(NodeSettings settings, SettingsChecks checks)
    {
        var streams = settings.Streams;
        checks.Positive("streams.log_duration", streams.LogDuration, Second, TimeSpan.FromHours(1));
        checks.Positive("streams.wire_duration", streams.WireDuration, Second, TimeSpan.FromHours(1));
        checks.Duration("streams.wire_idle", streams.WireIdle);
        LogBytes("streams.log_bytes", streams.LogBytes);
        LogBytes("streams.wire_bytes", streams.WireBytes);

        // A log always holds at least one whole message, or its viewers could never be served again.
        void LogBytes(string path, long bytes) => checks.Require(bytes >= settings.Rtmp.MaxMessage && bytes <= 1L << 40, path,
            $"{Units.FormatSize(bytes)} is out of range: {Units.FormatSize(settings.Rtmp.MaxMessage)} (rtmp.max_message) to 1024GB");
    }
}
