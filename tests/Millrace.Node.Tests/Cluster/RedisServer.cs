using System.Diagnostics;
using System.Globalization;
using Millrace.Node.Tests.Harness;
using StackExchange.Redis;

namespace Millrace.Node.Tests.Cluster;

/// <summary>A Redis of one test's own on a free port: empty, and nothing of it is ever written to disk.</summary>
internal sealed class RedisServer : IDisposable
{
    private Process? _process;

    public int Port { get; } = TestPorts.Free();

    public static async Task<RedisServer> StartAsync(params string[] options)
    {
        var server = new RedisServer();
        await server.RunAsync(options);
        return server;
    }

    /// <summary>Starts the process, again too, and waits until it takes connections.</summary>
    public async Task RunAsync(params string[] options)
    {
        string[] all = ["--bind", "127.0.0.1", "--port", Port.ToString(CultureInfo.InvariantCulture), "--save", "", "--appendonly", "no", .. options];
        _process = Process.Start(new ProcessStartInfo("redis-server", all) { RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException("redis-server did not start");
        var log = new List<string>();
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Wait.Deadline) is { } line)
        {
            log.Add(line);
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                // The pipe must be read on, or the server waits for it.
                _ = _process.StandardOutput.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException(string.Join('\n', log));
    }

    /// <summary>As kill -9, or a machine that loses power.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    /// <summary>It takes connections and requests, and answers nothing.</summary>
    public void Freeze() => Signal("-STOP");

    public void Thaw() => Signal("-CONT");

    /// <summary>One command of another client.</summary>
    public async Task<RedisResult> ExecuteAsync(string command, params object[] arguments)
    {
        var options = new ConfigurationOptions { AllowAdmin = true, EndPoints = { { "127.0.0.1", Port } } };
        using var client = await ConnectionMultiplexer.ConnectAsync(options);
        var reply = await client.GetDatabase().ExecuteAsync(command, arguments);
        // Its farewell takes a second.
        client.Close(allowCommandsToComplete: false);
        return reply;
    }

    public async Task<string?> GetAsync(string key) => (string?)await ExecuteAsync("GET", key);

    public void Dispose()
    {
        if (_process is null)
            return;
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        kill.ExitCode.ShouldBe(0);
    }
}
