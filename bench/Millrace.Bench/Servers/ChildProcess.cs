using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Millrace.Bench.Measure;
using Millrace.Bench.Native;

namespace Millrace.Bench.Servers;

/// <summary>A process of the bench, pinned to a core; it is ended with the bench, by its id and nothing else.</summary>
internal sealed class ChildProcess : IDisposable
{
    private static readonly ConcurrentDictionary<int, ChildProcess> Running = new();
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();
    private const int KeptErrorLines = 20;

    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += static (_, _) =>
    {
        foreach (var child in Running.Values) child.Dispose();
    };

    private ChildProcess(Process process) => _process = process;

    public int Id => _process.Id;
    public bool Exited => _process.HasExited;

    /// <summary>The last lines that the process wrote to its error stream.</summary>
    public string Errors => string.Join('\n', _errors);

    /// <summary>Starts a program; a negative <paramref name="core"/> leaves it unpinned. Its output is dropped but for <see cref="ReadOutput"/>.</summary>
    public static ChildProcess Start(int core, string program, IEnumerable<string> arguments, bool keepOutput = false)
    {
        // taskset(1) replaces itself by the program, so the id is the program's.
        string[] prefix = core < 0 ? [] : ["taskset", "-c", core.ToString(CultureInfo.InvariantCulture)];
        string[] all = [.. prefix, program, .. arguments];
        var info = new ProcessStartInfo(all[0], all[1..])
        {
            RedirectStandardError = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        var child = new ChildProcess(Process.Start(info) ?? throw new InvalidOperationException($"{program} did not start"));
        Running[child.Id] = child;
        child._process.ErrorDataReceived += (_, line) => child.Keep(line.Data);
        child._process.BeginErrorReadLine();
        if (!keepOutput)
        {
            child._process.OutputDataReceived += (_, line) => child.Keep(line.Data);
            child._process.BeginOutputReadLine();
        }

        return child;
    }

    /// <summary>Starts this program as a load generator, waits for its end and gives the report that it has written as JSON.</summary>
    /// <exception cref="InvalidOperationException">It ended without one.</exception>
    public static T Report<T>(int core, IEnumerable<string> arguments)
    {
        using var load = StartSelf(core, arguments, keepOutput: true);
        return load.ReadReport<T>();
    }

    /// <summary>The same of one that was started with its output kept.</summary>
    public T ReadReport<T>()
    {
        string output = ReadOutput();
        if (output.Length == 0) throw new InvalidOperationException($"the load generator failed:\n{Errors}");
        return JsonSerializer.Deserialize<T>(output, ResultFile.OneLine)!;
    }

    /// <summary>Starts this program again with another command.</summary>
    public static ChildProcess StartSelf(int core, IEnumerable<string> arguments, bool keepOutput = false)
    {
        string self = Environment.ProcessPath!;
        bool hosted = string.Equals(Path.GetFileNameWithoutExtension(self), "dotnet", StringComparison.Ordinal);
        return Start(core, self, hosted ? [Assembly.GetExecutingAssembly().Location, .. arguments] : arguments, keepOutput);
    }

    /// <summary>Everything the process writes until it ends. Only with keepOutput.</summary>
    public string ReadOutput()
    {
        string text = _process.StandardOutput.ReadToEnd();
        _process.WaitForExit();
        return text;
    }

    /// <summary>The next line the process writes; null when it has ended. Only with keepOutput.</summary>
    public string? ReadLine() => _process.StandardOutput.ReadLine();

    /// <summary>Asks the process to end (SIGTERM), and does not wait for it.</summary>
    public void Terminate() => _ = Libc.kill(_process.Id, Libc.SIGTERM);

    public void Dispose()
    {
        if (!Running.TryRemove(Id, out _)) return;
        if (!_process.HasExited)
        {
            Terminate();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(8)))
            {
                _ = Libc.kill(_process.Id, Libc.SIGKILL);
                _process.WaitForExit(TimeSpan.FromSeconds(5));
            }
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        _errors.Enqueue(line);
        while (_errors.Count > KeptErrorLines) _errors.TryDequeue(out _);
    }
}
