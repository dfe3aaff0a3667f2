using System.Globalization;

namespace Millrace.EndToEnd.Harness;

/// <summary>A Redis on a free port: empty, and nothing of it is ever written to disk.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private ChildProcess? _process;

    public int Port { get; } = Ports.Free();

    public static async Task<RedisProcess> StartAsync()
    {
        var redis = new RedisProcess();
        await redis.RunAsync();
        return redis;
    }

    /// <summary>Starts it, again too, empty.</summary>
    public async Task RunAsync()
    {
        _process = ChildProcess.Start("redis", "redis-server", ["--bind", "127.0.0.1", "--port", Text(Port), "--save", "", "--appendonly", "no"]);
        await _process.LineAsync(static line => line.Contains("Ready to accept connections", StringComparison.Ordinal), Soon);
    }

    /// <summary>As when a machine fails.</summary>
    public async Task KillAsync() => await _process!.DisposeAsync();

    /// <summary>It takes connections and requests, and answers nothing.</summary>
    public void Freeze() => _process!.Freeze();

    public void Thaw() => _process!.Thaw();

    /// <summary>A command of another client, and its answer; empty for nil.</summary>
    public async Task<string> AskAsync(params string[] command) =>
        string.Join('\n', await ChildProcess.RunAsync("redis-cli", "redis-cli", ["-p", Text(Port), .. command], Soon));

    /// <summary>Waits until a key has a value, or none.</summary>
    public Task HasAsync(string key, bool isThere, TimeSpan deadline) =>
        Wait.UntilAsync(async () => (await AskAsync("GET", key)).Length > 0 == isThere, deadline, () => $"{key} is {(isThere ? "not " : "")}there");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
