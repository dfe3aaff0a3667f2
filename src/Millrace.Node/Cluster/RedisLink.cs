using System.Net.Security;
using Microsoft.Extensions.Logging;
using Millrace.Node.Settings;
using StackExchange.Redis;

namespace Millrace.Node.Cluster;

/// <summary>
/// The one connection to Redis: made, given up and made again by its owner's loop. StackExchange.Redis 1.2.6 is not left to reconnect by itself:
/// it retries each second without a back-off, may never come back (its issue 559), never notices a server that is frozen or cut off,
/// and lets asynchronous calls wait for such a server for ever. So a connection that fails is closed, which ends its calls.
/// </summary>
/// <param name="settings">This node, and where Redis is.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">One line when the connection is lost, or cannot be had, and one when it is there.</param>
internal sealed class RedisLink(ClusterSettings settings, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);

    private volatile ConnectionMultiplexer? _connection;
    private volatile string? _lost;
    private volatile string? _untrusted;
    private string? _reported;
    private int _attempts;
    private long _since = time.GetTimestamp();

    /// <summary>Called, by any thread, when the connection is lost.</summary>
    public Action? Lost { get; init; }

    /// <summary>Called when there is a connection, before anybody else can use it.</summary>
    public Action? Made { get; init; }

    public bool IsConnected => _connection is not null && _lost is null;

    /// <summary>Since when <see cref="IsConnected"/> is what it is.</summary>
    public DateTimeOffset Since => time.GetUtcNow() - time.GetElapsedTime(Interlocked.Read(ref _since));

    /// <summary>Null while there is no connection. Its calls fail at once when there is none any more, and when <see cref="Drop"/> is called.</summary>
    public IDatabaseAsync? Database => _lost is null ? _connection?.GetDatabase(settings.Redis.Database) : null;

    /// <summary>Text of what ended the connection that the owner has yet to <see cref="Drop"/>; null when nothing did.</summary>
    public string? LostReason => _lost;

    /// <summary>One attempt, which takes no longer than <c>cluster.redis.connect_timeout</c>.</summary>
    /// <returns>Why it failed; null when there is a connection.</returns>
    public async Task<string?> ConnectAsync()
    {
        _untrusted = null;
        try
        {
            var connection = await ConnectionMultiplexer.ConnectAsync(Options());
            // Answers come to the thread pool as they are, not one after the other behind whoever takes long.
            connection.PreserveAsyncOrder = false;
            connection.ConnectionFailed += (_, e) => OnFailed(connection, e.FailureType);
            _lost = null;
            Made?.Invoke();
            _connection = connection;
            if (!connection.IsConnected)
                OnFailed(connection, ConnectionFailureType.SocketClosed);
        }
        catch (RedisConnectionException e)
        {
            var refusal = RefusalOf(e);
            var reason = refusal ?? ReasonOf(e);
            // Once an outage; and that it is now there but refuses us is news.
            if (_reported is null || (refusal is not null && _reported != refusal))
                Report(reason, $"cannot be used: {reason}");
            return reason;
        }

        var down = time.GetElapsedTime(Interlocked.Exchange(ref _since, time.GetTimestamp()));
        logger.LogInformation("origin map: connected to Redis at {Endpoint} after {Down:0.0} s", settings.Redis.Endpoint, down.TotalSeconds);
        _reported = null;
        _attempts = 0;
        return null;
    }

    /// <summary>Gives the connection up, if there is one; what waits for its answer fails.</summary>
    public void Drop(string reason)
    {
        if (_connection is not { } connection)
            return;
        _connection = null;
        _lost = null;
        Interlocked.Exchange(ref _since, time.GetTimestamp());
        Close(connection);
        Report(reason, $"is lost: {reason}; streams go on, look-ups are answered with what was known last");
    }

    /// <summary>Until the next attempt: from 0.25 s up to a heartbeat, so that entries are renewed soon after Redis is back, less up to a half, so that not all nodes come at once.</summary>
    public TimeSpan NextDelay()
    {
        var delay = FirstDelay * (1 << Math.Min(_attempts++, 10));
        var longest = settings.Heartbeat > FirstDelay ? settings.Heartbeat : FirstDelay;
        return (delay < longest ? delay : longest) * (0.5 + (Random.Shared.NextDouble() / 2));
    }

    public void Dispose()
    {
        if (_connection is { } connection)
            Close(connection);
        _connection = null;
    }

    /// <summary>Without a farewell: that would wait for a server that may be frozen.</summary>
    private static void Close(ConnectionMultiplexer connection)
    {
        connection.Close(allowCommandsToComplete: false);
        connection.Dispose();
    }

    private void OnFailed(ConnectionMultiplexer connection, ConnectionFailureType failure)
    {
        if (connection != _connection || _lost is not null)
            return;
        _lost = failure.ToString();
        Lost?.Invoke();
    }

    private void Report(string reason, string what)
    {
        _reported = reason;
        logger.LogWarning("origin map: Redis at {Endpoint} {What}", settings.Redis.Endpoint, what);
    }

    /// <summary>What the operator must change; null when it was nothing of that kind. The library says the same of certificates and of passwords.</summary>
    private string? RefusalOf(RedisConnectionException error)
    {
        if (_untrusted is { } fault)
            return $"its certificate is not trusted: {fault}";
        if (!error.Message.Contains(nameof(ConnectionFailureType.AuthenticationFailure), StringComparison.Ordinal))
            return null;
        return settings.Redis.Password.IsSet ? "it refuses cluster.redis.password" : "it wants a password: set cluster.redis.password";
    }

    /// <summary>The library says only in its text what it was.</summary>
    private string ReasonOf(RedisConnectionException error)
    {
        foreach (var failure in Enum.GetNames<ConnectionFailureType>())
        {
            if (failure != nameof(ConnectionFailureType.None) && error.Message.Contains(failure, StringComparison.Ordinal))
                return OriginMapCounters.Shorten(error.InnerException is { } inner ? $"{failure} ({inner.Message})" : failure);
        }

        return FormattableString.Invariant($"no answer within {settings.Redis.ConnectTimeout.TotalSeconds} s");
    }

    private ConfigurationOptions Options()
    {
        _ = HostEndpoint.TryParse(settings.Redis.Endpoint, RedisSettings.DefaultPort, out var endpoint, out _);
        var milliseconds = (int)settings.Redis.ConnectTimeout.TotalMilliseconds;
        var options = new ConfigurationOptions
        {
            // A failed attempt is an exception that says why, and leaves nothing behind that goes on trying.
            AbortOnConnectFail = true,
            ConnectRetry = 1,
            ConnectTimeout = milliseconds,
            SyncTimeout = milliseconds,
            ClientName = $"millrace-{settings.NodeId}",
            Password = settings.Redis.Password.IsSet ? settings.Redis.Password.Value : null,
            DefaultDatabase = settings.Redis.Database,
            Ssl = settings.Redis.Tls,
            SslHost = settings.Redis.Tls ? endpoint.Host : null,
            // Never before threads that carry media.
            HighPrioritySocketThreads = false,
            // Nothing is subscribed to: without these there is no second connection, and no key of the library's own.
            CommandMap = CommandMap.Create(["SUBSCRIBE"], available: false),
            ConfigurationChannel = "",
            TieBreaker = "",
        };
        options.EndPoints.Add(endpoint.Host, endpoint.Port);
        options.CertificateValidation += (_, _, _, errors) =>
        {
            if (errors != SslPolicyErrors.None)
                _untrusted = errors.ToString();
            return errors == SslPolicyErrors.None;
        };
        return options;
    }
}
