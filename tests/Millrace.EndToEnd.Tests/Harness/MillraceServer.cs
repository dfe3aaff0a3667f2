using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Millrace.EndToEnd.Harness;

/// <summary>The built product with a configuration file of its own, on free ports of the loopback address.</summary>
internal sealed class MillraceServer : IAsyncDisposable
{
    /// <summary>In settings: the port of the server's own relay.</summary>
    public const string OwnRelayPort = "$RELAY_PORT";

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private MillraceServer(string settings, int? rtmpPort, IReadOnlyDictionary<string, string>? environment)
    {
        RtmpPort = rtmpPort ?? Ports.Free();
        HttpPort = Ports.Free();
        ApiPort = Ports.Free();
        RelayPort = Ports.Free();
        var file = _folder.Write("millrace.yml", $"""
            rtmp:
              listen: ["127.0.0.1:{RtmpPort}"]
            http:
              listen: ["127.0.0.1:{HttpPort}"]
            api:
              listen: ["127.0.0.1:{ApiPort}"]
            relay:
              listen: ["127.0.0.1:{RelayPort}"]
            {settings.Replace(OwnRelayPort, RelayPort.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)}
            """);
        Process = ChildProcess.Start("millrace", Repository.Product(), ["run", "--config", file], environment: environment);
    }

    public int RtmpPort { get; }

    public int HttpPort { get; }

    public int ApiPort { get; }

    public int RelayPort { get; }

    public ChildProcess Process { get; }

    /// <summary>Starts a server and waits until its API says that it is healthy.</summary>
    /// <param name="settings">More sections of the configuration file.</param>
    /// <param name="environment">MILLRACE__ variables: for the sections that the file has already.</param>
    public static async Task<MillraceServer> StartAsync(string settings = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        var server = new MillraceServer(settings, null, environment);
        await server.Process.PortAsync(server.ApiPort, TimeSpan.FromSeconds(20));
        await Wait.UntilAsync(
            async () => await server.StatusAsync("/health") == HttpStatusCode.OK, TimeSpan.FromSeconds(20), () => "not healthy\n" + server.Process.Tail());
        return server;
    }

    /// <summary>Starts a server and does not wait.</summary>
    public static MillraceServer Launch(string settings = "", int? rtmpPort = null) => new(settings, rtmpPort, null);

    public string Rtmp(string stream) => $"rtmp://127.0.0.1:{RtmpPort}/{stream}";

    public string Http(string pathAndQuery) => $"http://127.0.0.1:{HttpPort}/{pathAndQuery}";

    public async Task<HttpStatusCode> StatusAsync(string apiPath)
    {
        using var response = await _http.GetAsync($"http://127.0.0.1:{ApiPort}{apiPath}", TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    /// <summary>The API's answer for a stream `vhost/app/name`, when it is live.</summary>
    public Task<string> LiveAsync(string stream) => UntilAsync(stream, "live");

    /// <summary>The API's answer for a stream `vhost/app/name`, when it is in this state.</summary>
    public async Task<string> UntilAsync(string stream, string state)
    {
        var last = "";
        await Wait.UntilAsync(
            async () =>
            {
                using var response = await _http.GetAsync($"http://127.0.0.1:{ApiPort}/v1/streams/{stream}", TestContext.Current.CancellationToken);
                last = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                return response.StatusCode == HttpStatusCode.OK && last.Contains($"\"{state}\"", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(20), () => $"{stream} is not {state}\n{last}\n{Process.Tail()}");
        return last;
    }

    /// <summary>How many sessions of a protocol the API lists.</summary>
    public async Task<int> SessionsAsync(string protocol)
    {
        using var response = await _http.GetAsync($"http://127.0.0.1:{ApiPort}/v1/sessions?protocol={protocol}", TestContext.Current.CancellationToken);
        using var list = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return list.RootElement.GetProperty("sessions").GetArrayLength();
    }

    /// <summary>Ends a stream: DELETE.</summary>
    public async Task<HttpStatusCode> KickAsync(string stream)
    {
        using var response = await _http.DeleteAsync($"http://127.0.0.1:{ApiPort}/v1/streams/{stream}", TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    /// <summary>Resident memory, bytes.</summary>
    public long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{Process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Open descriptors.</summary>
    public int Descriptors() => Directory.GetFileSystemEntries($"/proc/{Process.Id}/fd").Length;

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }
}
