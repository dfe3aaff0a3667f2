using Microsoft.Extensions.Logging;
using Millrace.Node.Access;
using Millrace.Node.Cluster;
using Millrace.Node.Hls;
using Millrace.Node.Http;
using Millrace.Node.Memory;
using Millrace.Node.Metrics;
using Millrace.Node.Relay;
using Millrace.Node.Rtmp;
using Millrace.Node.Sessions;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Protocols.Rtmp;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Log;
using Millrace.Streams.Wire;

namespace Millrace.Node;

/// <summary>One media node: shards, listeners, Kestrel, the registry and its sweeper.</summary>
internal sealed class MediaNode : IAsyncDisposable
{
    /// <summary>createStream calls of one connection; clients make one, some a second to switch. Each can cost a wire log.</summary>
    private const int MaxMessageStreams = 4;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(500);

    private readonly NodeSettings _settings;
    private readonly ILoggerFactory _loggers;
    private readonly ConnectionCounts _counts;
    private readonly MappedBlockPool _pool = new();
    private readonly Shard[] _shards;
    private readonly Acceptor _acceptor;
    private readonly HandOverQueue _kestrel;
    private readonly HttpFront[] _fronts;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<string> _description = [];
    private TlsCertificate? _certificate;
    private RelayTls? _relayTls;
    private TlsTunnels? _tunnels;
    private WebServers? _web;
    private Task _sweeper = Task.CompletedTask;
    private bool _isStopped;
    private bool _isDisposed;

    public MediaNode(NodeSettings settings, ILoggerFactory loggers)
    {
        _settings = settings;
        _loggers = loggers;
        _counts = new ConnectionCounts(settings.Limits.Connections, settings.Limits.ConnectionsPerIp);
        var budget = new MemoryBudget(settings.Memory.Media ?? MediaMemory.Automatic());
        var registry = new StreamRegistry(new StreamResources(_pool, budget, ToOptions(settings)) { Hls = new HlsPlan(settings).Of, Report = Report, Node = IdOf(settings) });
        var sessions = new SessionTable(loggers.CreateLogger("Millrace.Session"), new TrafficZones(settings));
        Context = new NodeContext(settings, registry, sessions, loggers) { Stopping = _stopping.Token };
        _shards = new Shard[settings.Shards.EffectiveCount(Environment.ProcessorCount)];
        for (var i = 0; i < _shards.Length; i++)
            _shards[i] = new Shard(i, registry, loggers.CreateLogger("Millrace.Shard"));
        Context.Upstreams.Shards = _shards;
        Context.Access.Inquiries.Shard = _shards[^1];
        _acceptor = new Acceptor(_shards, _counts, loggers.CreateLogger("Millrace.Acceptor"));
        _kestrel = new HandOverQueue(loggers);
        _fronts = Array.ConvertAll(_shards, _ => new HttpFront(Context, _kestrel));
    }

    public NodeContext Context { get; }

    public IReadOnlyList<Shard> Shards => _shards;

    public ConnectionCounts Connections => _counts;

    public int RtmpPort { get; private set; }

    public int HttpPort { get; private set; }

    public int RelayPort { get; private set; }

    /// <summary>0 without a certificate.</summary>
    public int RelayTlsPort { get; private set; }

    /// <summary>0 without a certificate, as all ports that are not open.</summary>
    public int HttpsPort { get; private set; }

    public int ApiPort { get; private set; }

    /// <summary>Opens all listeners; a <see cref="ListenException"/> names the setting of one that cannot be.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _certificate = CheckWeb();
        var relayLog = _loggers.CreateLogger("Millrace.Relay");
        _relayTls = RelayTls.Open(_settings, relayLog, NodeClock.Micros);
        Context.Tunnels = _tunnels = new TlsTunnels(_settings, _relayTls, relayLog, _stopping.Token);
        if (OpenRelay.Listeners(_settings) is { Count: > 0 } open)
            _loggers.CreateLogger("Millrace.Access").LogWarning("not everybody may play, but any node that reaches {Listeners} may fetch: relay.secret is not set", string.Join(", ", open));
        var rtmp = ToRtmpOptions(_settings.Rtmp);
        for (var i = 0; i < _settings.Rtmp.Listen.Count; i++)
        {
            var port = _acceptor.Listen(_settings.Rtmp.Listen[i], $"rtmp.listen[{i}]", (socket, shard) => new RtmpConnection(socket, shard, Context, rtmp));
            Announce("RTMP", _settings.Rtmp.Listen[i], port);
            RtmpPort = RtmpPort == 0 ? port : RtmpPort;
        }

        for (var i = 0; i < _settings.Http.Listen.Count; i++)
        {
            var port = _acceptor.Listen(_settings.Http.Listen[i], $"http.listen[{i}]", (socket, shard) => new HttpConnection(socket, shard, _fronts[shard.Number]));
            Announce("HTTP", _settings.Http.Listen[i], port);
            HttpPort = HttpPort == 0 ? port : HttpPort;
        }

        for (var i = 0; i < _settings.Relay.Listen.Count; i++)
        {
            var port = _acceptor.Listen(_settings.Relay.Listen[i], $"relay.listen[{i}]", (socket, shard) => new RelayConnection(socket, shard, Context));
            Announce("relay", _settings.Relay.Listen[i], port);
            Context.RelayListeners = [.. Context.RelayListeners, _settings.Relay.Listen[i] with { Port = port }];
            RelayPort = RelayPort == 0 ? port : RelayPort;
        }

        if (_settings.Relay.Tls.IsEnabled)
            ListenRelayTls(_settings.Relay.Tls.Listen);

        // Before the doors open: who publishes first is to be known as well.
        var status = new OwnStatus(Context, RtmpPort, HttpPort);
        Context.OriginMap = OriginMaps.Create(_settings.Cluster with { Node = Context.Id }, status.Make, TimeProvider.System, _loggers.CreateLogger("Millrace.Cluster"));
        if (_settings.Cluster.Advertise.Length > 0)
            Context.Registry.Resources.Owns = Register;
        // Before Kestrel, which takes longer than all else: publishers and viewers do not wait for it, only what is handed over to it.
        foreach (var shard in _shards)
            shard.Start();
        _acceptor.Start();
        _sweeper = SweepAsync();
        var metrics = new PrometheusText(Context, _shards, _counts, _pool);
        _web = new WebServers(Context, _kestrel, metrics, _counts, _certificate, RtmpPort);
        await _web.StartAsync(cancellationToken);
        for (var i = 0; i < _web.TlsPorts.Count; i++)
            Announce("HTTPS", _settings.Http.Tls.Listen[i], _web.TlsPorts[i]);
        HttpsPort = _web.TlsPorts.Count > 0 ? _web.TlsPorts[0] : 0;
        for (var i = 0; i < _web.ApiPorts.Count; i++)
            Announce("API", _settings.Api.Listen[i], _web.ApiPorts[i]);
        ApiPort = _web.ApiPorts.Count > 0 ? _web.ApiPorts[0] : 0;
    }

    /// <summary>What listens where, where to push to and which page to open.</summary>
    public IEnumerable<string> Describe()
    {
        foreach (var line in _description)
            yield return line;
        if (RtmpPort > 0)
            yield return $"push to  rtmp://{LocalName(_settings.Rtmp.Listen[0])}:{RtmpPort}/live/NAME";
        if (HttpPort > 0 && _settings.Page.Enabled)
            yield return $"open     http://{LocalName(_settings.Http.Listen[0])}:{HttpPort}/";
        if (HttpsPort > 0 && _settings.Page.Enabled)
            yield return $"open     https://{LocalName(_settings.Http.Tls.Listen[0])}:{HttpsPort}/";
    }

    /// <summary>Takes nothing new, ends what is open with a reason, and lets Kestrel's answers finish within the deadline.</summary>
    public async Task StopAsync()
    {
        if (_isStopped)
            return;
        _isStopped = true;
        var deadline = _settings.Shutdown.Deadline;
        _acceptor.Stop();
        await _stopping.CancelAsync();
        Context.Upstreams.Stop();
        foreach (var session in Context.Sessions.All.Where(session => session.Traffic is not ShardConnection))
            session.Kick?.Invoke(NodeContext.StopReason);
        // Viewers that take nothing any more use up their share; what is left of the deadline is Kestrel's.
        var start = NodeClock.Micros;
        var end = start + (deadline.ToMicros() / 4 * 3);
        foreach (var shard in _shards)
            shard.BeginStop(NodeContext.StopReason, end);
        foreach (var shard in _shards)
            shard.Join();
        var tunnels = _tunnels?.StopAsync() ?? Task.CompletedTask;
        if (_web is not null)
            await _web.StopAsync(Rest());
        await tunnels.WaitAsync(Rest()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _sweeper.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        TimeSpan Rest() => TimeSpan.FromMicroseconds(Math.Max(0, start + deadline.ToMicros() - NodeClock.Micros));
    }

    public async ValueTask DisposeAsync()
    {
        // Descriptors that are closed twice may be another's by then.
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        await StopAsync();
        foreach (var shard in _shards)
            shard.Dispose();
        if (_web is not null)
            await _web.DisposeAsync();
        if (Context.OriginMap is { } map)
            await map.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>What Kestrel will need, before anybody is let in: publishers would be dropped when it cannot be had.</summary>
    /// <returns>Null without TLS.</returns>
    private TlsCertificate? CheckWeb()
    {
        for (var i = 0; i < _settings.Api.Listen.Count; i++)
            ListenSocket.Probe(_settings.Api.Listen[i], $"api.listen[{i}]");
        var tls = _settings.Http.Tls;
        if (!tls.IsEnabled)
            return null;
        for (var i = 0; i < tls.Listen.Count; i++)
            ListenSocket.Probe(tls.Listen[i], $"http.tls.listen[{i}]");
        return TlsCertificate.Open(tls, _loggers.CreateLogger("Millrace.Http"), NodeClock.Micros);
    }

    private void ListenRelayTls(IReadOnlyList<ListenEndpoint> listen)
    {
        for (var i = 0; i < listen.Count; i++)
        {
            var port = _acceptor.Listen(listen[i], $"relay.tls.listen[{i}]", (socket, shard) => new RelayConnection(socket, shard, Context), Context.Tunnels.Accept);
            Announce("relay TLS", listen[i], port);
            Context.RelayTlsListeners = [.. Context.RelayTlsListeners, listen[i] with { Port = port }];
            RelayTlsPort = RelayTlsPort == 0 ? port : RelayTlsPort;
        }
    }

    private void Register(StreamName stream, bool isLive)
    {
        if (isLive)
            Context.OriginMap!.Register(stream, $"{_settings.AdvertisedUrl()}/{stream}");
        else
            Context.OriginMap!.Remove(stream);
    }

    private void Report(StreamName stream, string what) =>
        _loggers.CreateLogger("Millrace.Stream").LogWarning("{Stream}: {What}", stream, what);

    private async Task SweepAsync()
    {
        using var timer = new PeriodicTimer(SweepInterval);
        while (await timer.WaitForNextTickAsync(_stopping.Token))
        {
            try
            {
                _certificate?.Look(NodeClock.Micros);
                _relayTls!.Look(NodeClock.Micros);
                Context.Registry.Sweep(NodeClock.Micros);
                Context.HlsAudience.Sweep(NodeClock.Micros);
                Context.Access.Verdicts.Sweep(NodeClock.Micros);
                foreach (var shard in _shards)
                    shard.Post(() => _fronts[shard.Number].Requests.Sweep(NodeClock.Micros));
            }
            catch (Exception fault)
            {
                // The next sweep goes on with the other streams: graces must end even if one of them is broken.
                _loggers.CreateLogger("Millrace.Sweeper").LogError(fault, "a sweep failed");
            }
        }
    }

    private void Announce(string what, ListenEndpoint endpoint, int port) =>
        _description.Add($"{what,-8} {(endpoint with { Port = port })}");

    private static string LocalName(ListenEndpoint endpoint) =>
        endpoint.Address is null || System.Net.IPAddress.Any.Equals(endpoint.Address) || System.Net.IPAddress.IPv6Any.Equals(endpoint.Address)
            ? "localhost"
            : (endpoint with { Port = 0 }).ToString()[..^2];

    /// <summary>Nodes on one machine differ by their ports.</summary>
    internal static string IdOf(NodeSettings settings)
    {
        if (settings.Cluster.Node.Length > 0)
            return settings.Cluster.Node;
        var port = settings.Relay.Listen is [var relay, ..] ? relay.Port : settings.Http.Listen is [var http, ..] ? http.Port : 0;
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Environment.MachineName}:{(port > 0 ? port : Environment.ProcessId)}");
    }

    private static StreamOptions ToOptions(NodeSettings settings) => new()
    {
        SettleMicros = settings.Tracks.Settle.ToMicros(),
        AudioToleranceMicros = settings.Tracks.AudioTolerance.ToMicros(),
        WireLingerMicros = settings.Streams.WireIdle.ToMicros(),
        LogLimits = new LogLimits(settings.Streams.LogDuration.ToMicros(), settings.Streams.LogBytes),
        WireLimits = new WireLimits(settings.Streams.WireDuration.ToMicros() / 1_000, settings.Streams.WireBytes),
        RtmpChunkSize = (int)settings.Rtmp.ChunkSize,
        UnixOffsetMicros = NodeClock.UnixOffset,
    };

    private static RtmpOptions ToRtmpOptions(RtmpSettings settings) => RtmpOptions.Default with
    {
        ChunkSize = (int)settings.ChunkSize,
        AckWindow = (uint)settings.AckWindow,
        MaxMessageBytes = (int)settings.MaxMessage,
        MaxBufferedBytes = 2 * (int)settings.MaxMessage,
        MaxChunkStreams = settings.MaxStreams,
        MaxMessageStreams = MaxMessageStreams,
        HandshakeTimeoutMicros = settings.HandshakeTimeout.ToMicros(),
        PingMicros = settings.Ping.ToMicros(),
        PingTimeoutMicros = settings.PingTimeout.ToMicros(),
        BufferLengthMillis = (uint)settings.BufferLength.TotalMilliseconds,
    };
}
