using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Cluster;

/// <summary>
/// The map in Redis: <c>vhost/app/name</c> → URL, <c>node/ID</c> → <see cref="NodeStatus"/> and <c>nodes</c>, their ids, each for <c>cluster.expiry</c> and
/// renewed with each heartbeat. One loop does all writing; all others leave their wishes or ask, and never wait for it.
/// </summary>
internal sealed class RedisOriginMap : IOriginMap
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(1);

    private readonly ClusterSettings _settings;
    private readonly Func<NodeStatus> _status;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OriginMapCounters _counters = new();
    private readonly OriginClaims _claims;
    private readonly RedisLink _link;
    private readonly OriginLookups _lookups;
    private readonly RedisWriter _writer;
    private readonly NodeListing _nodes;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ITimer _timer;
    private readonly Task _loop;
    private volatile bool _isHeartbeatDue;
    private int _isStopped;

    /// <summary>Begins to connect; returns at once, whether Redis is there or not.</summary>
    /// <param name="settings">Valid settings.</param>
    /// <param name="status">This node's own, asked for with each heartbeat by a pool thread.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Of the map.</param>
    public RedisOriginMap(ClusterSettings settings, Func<NodeStatus> status, TimeProvider time, ILogger logger)
    {
        _settings = settings;
        _status = status;
        _time = time;
        _logger = logger;
        _claims = new OriginClaims(settings.Redis.Prefix);
        _link = new RedisLink(settings, time, logger) { Lost = Wake, Made = BeginRefill };
        _lookups = new OriginLookups(settings, _link, _counters, new LastKnownOrigins(LastKnownOrigins.DefaultCapacity, time), time)
        {
            IsOwn = (name, url) => OriginUrl.LeadsTo(url, settings.Advertise) || _claims.IsOwn(name, url),
            TimedOut = BeatNow,
        };
        _writer = new RedisWriter(settings, _claims, _counters, time, logger) { Recreated = BeginRefill };
        _nodes = new NodeListing(settings, _link, _counters, time);
        _timer = time.CreateTimer(static map => ((RedisOriginMap)map!).BeatNow(), this, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        _loop = Task.Run(RunAsync);
    }

    public OriginMapState State => _counters.Read("redis", _link.IsConnected, _link.Since, _claims.Registered, _claims.Candidates);

    public void Register(StreamName name, string url)
    {
        if (!OriginUrl.IsUsable(url))
            _counters.Failed($"{name} cannot be registered: its URL is not one");
        else if (Volatile.Read(ref _isStopped) == 0)
            Wish(name, url);
    }

    public void Remove(StreamName name)
    {
        if (Volatile.Read(ref _isStopped) == 0)
            Wish(name, null);
    }

    public ValueTask<OriginAnswer> FindAsync(StreamName name, CancellationToken cancellationToken) => _lookups.FindAsync(name, cancellationToken);

    public IReadOnlyList<NodeStatus> KnownNodes => _nodes.Known;

    public Task<IReadOnlyList<NodeStatus>> NodesAsync(CancellationToken cancellationToken) => _nodes.GetAsync(cancellationToken);

    /// <summary>Takes out what this node has put into the map: within a second, and <c>cluster.redis.connect_timeout</c> where it is just connecting.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, 1) != 0)
            return;
        _wake.Writer.Complete();
        await _timer.DisposeAsync();
        await _loop.WaitAsync(StopTime, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_loop.IsCompleted && _link.Database is { } database)
            await _writer.WithdrawAsync(database, StopTime);
        _link.Dispose();
        await _loop;
        _link.Dispose();
    }

    private void Wish(StreamName name, string? url)
    {
        _claims.Wish(name, url);
        Wake();
    }

    private void BeatNow()
    {
        _isHeartbeatDue = true;
        Wake();
    }

    private void BeginRefill() => _lookups.BeginRefill();

    private void Wake() => _wake.Writer.TryWrite(true);

    private async Task RunAsync()
    {
        await foreach (var _ in _wake.Reader.ReadAllAsync())
        {
            try
            {
                await TurnAsync();
            }
            catch (Exception fault)
            {
                // Of ours, or one that the library does not speak of: without this loop the node would leave the map for good.
                _logger.LogError(fault, "origin map: a turn failed");
                Drop(fault.Message);
            }
        }
    }

    private async Task TurnAsync()
    {
        var isHeartbeat = _isHeartbeatDue;
        _isHeartbeatDue = false;
        if (_link.LostReason is { } reason)
            Drop(reason);
        if (!_link.IsConnected)
        {
            // Wishes are kept, and with the connection comes a heartbeat.
            _writer.Tidy();
            isHeartbeat = isHeartbeat && await ConnectAsync();
        }

        if (_link.Database is not { } database)
            return;
        var error = isHeartbeat ? await _writer.BeatAsync(database, _status()) : await _writer.WriteNewAsync(database);
        if (error is not null)
            Drop(error);
        else if (isHeartbeat)
            Schedule(_settings.Heartbeat);
    }

    private async Task<bool> ConnectAsync()
    {
        if (await _link.ConnectAsync() is not { } error)
            return true;
        _counters.Failed(error);
        Schedule(_link.NextDelay());
        return false;
    }

    private void Drop(string reason)
    {
        _counters.Failed(reason);
        _link.Drop(reason);
        _claims.OnLost();
        Schedule(_link.NextDelay());
    }

    /// <summary>The timer is gone when the map is being disposed of, and nothing is to be done any more.</summary>
    private void Schedule(TimeSpan delay) => _timer.Change(delay, Timeout.InfiniteTimeSpan);
}
