using System.Globalization;
using System.Text.Json;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Cluster.Chaos;

/// <summary>One node, whose logs are kept over its restarts.</summary>
internal sealed class ChaosNode(string name, MillraceServer server) : IAsyncDisposable
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero }) { Timeout = TimeSpan.FromSeconds(10) };

    private readonly List<string> _faults = [];

    public string Name => name;

    public MillraceServer Server => server;

    /// <summary>Log lines of errors, of all processes so far.</summary>
    public IReadOnlyList<string> Faults => [.. _faults, .. server.Process.Lines().Where(IsFault)];

    public void Kill() => server.Process.Kill();

    public async Task RestartAsync()
    {
        Collect();
        await server.RestartAsync();
    }

    public async Task<JsonElement> AskAsync(string path)
    {
        using var document = JsonDocument.Parse(await Http.GetStringAsync($"http://127.0.0.1:{server.ApiPort}{path}", TestContext.Current.CancellationToken));
        return document.RootElement.Clone();
    }

    /// <summary>Streams that it fetches, with their states.</summary>
    public async Task<List<(string Stream, string State)>> UpstreamsAsync() =>
        [.. (await AskAsync("/v1/cluster")).GetProperty("upstreams").EnumerateArray()
            .Select(static upstream => (upstream.GetProperty("stream").GetString()!, upstream.GetProperty("state").GetString()!)).Order()];

    /// <summary>Streams that other nodes take from it.</summary>
    public async Task<List<string>> DownstreamsAsync() =>
        [.. (await AskAsync("/v1/cluster")).GetProperty("downstreams").EnumerateArray().Select(static downstream => downstream.GetProperty("stream").GetString()!).Order()];

    public async Task<NodeLevels> LevelsAsync()
    {
        var metrics = await Http.GetStringAsync($"http://127.0.0.1:{server.ApiPort}/metrics", TestContext.Current.CancellationToken);
        var samples = metrics.Split('\n').Where(static line => line.Length > 0 && line[0] != '#').Select(static line => line.Split(' '))
            .ToDictionary(static words => words[0], static words => double.Parse(words[1], CultureInfo.InvariantCulture));
        return new NodeLevels
        {
            MemoryBytes = (long)samples.Where(static sample => sample.Key.StartsWith("millrace_media_memory_bytes", StringComparison.Ordinal)).Sum(static sample => sample.Value),
            Faults = (int)samples.Where(static sample => sample.Key.StartsWith("millrace_shard_faults_total", StringComparison.Ordinal)).Sum(static sample => sample.Value),
            Connections = (int)samples["millrace_connections"],
            Sessions = (await AskAsync("/v1/sessions")).GetProperty("sessions").GetArrayLength(),
            Streams = (await AskAsync("/v1/streams")).GetProperty("streams").GetArrayLength(),
            Descriptors = server.Descriptors(),
            ResidentBytes = server.ResidentBytes(),
            Threads = Directory.GetDirectories($"/proc/{server.Process.Id}/task").Length,
        };
    }

    public async ValueTask DisposeAsync()
    {
        Collect();
        await server.DisposeAsync();
    }

    /// <summary>To be called before the process goes, whose output follows.</summary>
    private void Collect()
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}:");
        _faults.AddRange(server.Process.Lines().Where(IsFault));
    }

    private static bool IsFault(string line) =>
        line.Contains("Z fail: ", StringComparison.Ordinal) || line.Contains("Z crit: ", StringComparison.Ordinal) || line.Contains("Unhandled exception", StringComparison.Ordinal);
}
