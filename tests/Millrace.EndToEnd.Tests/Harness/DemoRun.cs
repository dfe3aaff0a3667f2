using System.Globalization;

namespace Millrace.EndToEnd.Harness;

/// <summary>`./dev run --demo` or `./dev cluster`: one server, or an origin with two edges and Redis, on their default ports, and a publisher of the clock.</summary>
internal sealed class DemoRun(string command) : IAsyncDisposable
{
    public const string Page = "http://127.0.0.1:8080/live/demo";

    private const int ApiPort = 8081;
    private const string Api = "http://127.0.0.1:8081/v1/streams/default/live/demo";

    /// <summary>The server and the publisher get this long to end.</summary>
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(20);

    private readonly ChildProcess _script = ChildProcess.Start($"dev {command}", Path.Combine(Repository.Root, "dev"), command.Split(' '));

    public static Task<DemoRun> StartAsync() => StartAsync("run --demo", "demo: publishing");

    public static Task<DemoRun> StartClusterAsync() => StartAsync("cluster", "a test stream goes to");

    /// <summary>Starts it, which builds first, and waits until the stream is live.</summary>
    private static async Task<DemoRun> StartAsync(string command, string ready)
    {
        var run = new DemoRun(command);
        try
        {
            await run._script.LineAsync(line => line.Contains(ready, StringComparison.Ordinal), TimeSpan.FromMinutes(2));
            await run._script.PortAsync(ApiPort, TimeSpan.FromSeconds(20));
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
            await Wait.UntilAsync(() => IsLiveAsync(http), TimeSpan.FromSeconds(20), () => "not live\n" + run._script.Tail());
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>What the script has said.</summary>
    public string Output => _script.Tail();

    /// <summary>What the script has started and still runs, by process id.</summary>
    public IReadOnlyDictionary<int, string> Children() => Processes().Where(process => process.Parent == _script.Id).ToDictionary(process => process.Id, process => process.Name);

    /// <summary>Those of the children that still run, whoever their parent is by now.</summary>
    public static IEnumerable<string> StillRunning(IReadOnlyDictionary<int, string> children) =>
        Processes().Where(process => children.TryGetValue(process.Id, out var name) && name == process.Name).Select(process => process.Name);

    /// <summary>SIGTERM to the script alone, as a terminal's or a supervisor's; its exit code.</summary>
    public Task<int> StopAsync()
    {
        _script.Terminate();
        return _script.ExitAsync(StopDeadline);
    }

    public async ValueTask DisposeAsync() => await _script.DisposeAsync();

    private static async Task<bool> IsLiveAsync(HttpClient http)
    {
        using var response = await http.GetAsync(Api, TestContext.Current.CancellationToken);
        return response.IsSuccessStatusCode
            && (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains("\"state\":\"live\"", StringComparison.Ordinal);
    }

    /// <summary>proc(5), /proc/PID/stat: `pid (name) state parent …`; the name may itself have parentheses.</summary>
    private static List<(int Id, string Name, int Parent)> Processes()
    {
        var processes = new List<(int, string, int)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                continue;
            }

            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                var (open, close) = (stat.IndexOf('(', StringComparison.Ordinal), stat.LastIndexOf(')'));
                processes.Add((id, stat[(open + 1)..close], int.Parse(stat[(close + 2)..].Split(' ')[1], CultureInfo.InvariantCulture)));
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        return processes;
    }
}
