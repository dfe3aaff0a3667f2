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
    private readonly IReadOnlyDictionary<string, string>? _environment;
    private readonly NetworkNamespace? _network;
    private readonly string _file;

    private MillraceServer(string settings, int? rtmpPort, IReadOnlyDictionary<string, string>? environment, NetworkNamespace? network)
    {
        (_environment, _network) = (environment, network);
        RtmpPort = rtmpPort ?? Ports.Free();
        HttpPort = Ports.Free();
        ApiPort = Ports.Free();
        RelayPort = Ports.Free();
        _file = _folder.Write("millrace.yml", $"""
            rtmp:
              listen: ["{Address}:{RtmpPort}"]
            http:
              listen: ["{Address}:{HttpPort}"]
            api:
              listen: ["{Address}:{ApiPort}"]
            relay:
              listen: ["{Address}:{RelayPort}"]
            {settings.Replace(OwnRelayPort, RelayPort.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)}
            """);
        Process = Run();
    }

    /// <summary>Where it listens.</summary>
    public string Address => _network?.Address ?? "127.0.0.1";

    public int RtmpPort { get; }

    public int HttpPort { get; }

    public int ApiPort { get; }

    public int RelayPort { get; }

    /// <summary>As an origin of another node.</summary>
    public string Relay => $"millrace://{Address}:{RelayPort}";

    public ChildProcess Process { get; private set; }

    /// <summary>Starts a server and waits until its API says that it is healthy.</summary>
    /// <param name="settings">More sections of the configuration file.</param>
    /// <param name="environment">MILLRACE__ variables: for the sections that the file has already.</param>
    /// <param name="network">Where it runs; null: here.</param>
    public static async Task<MillraceServer> StartAsync(
        string settings = "", IReadOnlyDictionary<string, string>? environment = null, NetworkNamespace? network = null)
    {
        var server = new MillraceServer(settings, null, environment, network);
        await server.HealthyAsync();
        return server;
    }

    /// <summary>Ends it as when a machine fails, and starts it again on the same ports.</summary>
    public async Task RestartAsync()
    {
        await Process.DisposeAsync();
        Process = Run();
        await HealthyAsync();
    }

    /// <summary>Starts a server and does not wait.</summary>
    public static MillraceServer Launch(string settings = "", int? rtmpPort = null) => new(settings, rtmpPort, null, null);

    public string Rtmp(string stream) => $"rtmp://{Address}:{RtmpPort}/{stream}";

    public string Http(string pathAndQuery) => $"http://{Address}:{HttpPort}/{pathAndQuery}";

    public async Task<HttpStatusCode> StatusAsync(string apiPath)
    {
        using var response = await _http.GetAsync($"http://{Address}:{ApiPort}{apiPath}", TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    /// <summary>The API's answer for a stream `vhost/app/name`, when it is live.</summary>
    public Task<string> LiveAsync(string stream) => UntilAsync(stream, "live");

    /// <summary>The API's answer for a stream `vhost/app/name`, when it is in this state.</summary>
    public Task<string> UntilAsync(string stream, string state) => ContainsAsync(stream, $"\"{state}\"");

    /// <summary>The API's answer for a stream `vhost/app/name`, when it has this in it.</summary>
    public async Task<string> ContainsAsync(string stream, string part)
    {
        var last = "";
        await Wait.UntilAsync(
            async () =>
            {
                using var response = await _http.GetAsync($"http://{Address}:{ApiPort}/v1/streams/{stream}", TestContext.Current.CancellationToken);
                last = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                return response.StatusCode == HttpStatusCode.OK && last.Contains(part, StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(20), () => $"{stream} has no {part}\n{last}\n{Process.Tail()}");
        return last;
    }

    /// <summary>The API's answer.</summary>
    public Task<string> ApiAsync(string path) => _http.GetStringAsync($"http://{Address}:{ApiPort}{path}", TestContext.Current.CancellationToken);

    /// <summary>How many sessions of a protocol the API lists.</summary>
    public async Task<int> SessionsAsync(string protocol)
    {
        using var response = await _http.GetAsync($"http://{Address}:{ApiPort}/v1/sessions?protocol={protocol}", TestContext.Current.CancellationToken);
        using var list = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return list.RootElement.GetProperty("sessions").GetArrayLength();
    }

    /// <summary>Ends a stream: DELETE.</summary>
    public async Task<HttpStatusCode> KickAsync(string stream)
    {
        using var response = await _http.DeleteAsync($"http://{Address}:{ApiPort}/v1/streams/{stream}", TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    /// <summary>Resident memory, bytes.</summary>
    public long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{Process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Open descriptors, but of assemblies: the runtime keeps one for each, and loads it when it is first needed.</summary>
    public int Descriptors() => Directory.GetFileSystemEntries($"/proc/{Process.Id}/fd").Count(static descriptor => !IsAssembly(descriptor));

    private static bool IsAssembly(string descriptor)
    {
        try
        {
            return File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name.EndsWith(".dll", StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            // It has been closed meanwhile.
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    private ChildProcess Run()
    {
        var (program, arguments) = (Repository.Product(), (IEnumerable<string>)["run", "--config", _file]);
        if (_network is not null)
            (program, arguments) = _network.Enter(program, arguments);
        return ChildProcess.Start("millrace", program, arguments, environment: _environment);
    }

    private async Task HealthyAsync()
    {
        await Process.PortAsync(ApiPort, TimeSpan.FromSeconds(20), Address);
        await Wait.UntilAsync(
            async () => await StatusAsync("/health") == HttpStatusCode.OK, TimeSpan.FromSeconds(20), () => "not healthy\n" + Process.Tail());
    }
}
