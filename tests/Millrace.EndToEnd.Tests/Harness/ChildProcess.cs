using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millrace.EndToEnd.Harness;

/// <summary>
/// A program that a test started. Its output is kept and, when the process is disposed of, written to the test's output,
/// which is shown if the test fails. Ends with the test: only this process (and its own children) is killed.
/// </summary>
internal sealed partial class ChildProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private const int SigContinue = 18;
    private const int SigStop = 19;
    private const int LinesShown = 200;

    private readonly Process _process;
    private readonly string _name;
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> Match, TaskCompletionSource<string> Found)> _waiters = [];

    private ChildProcess(Process process, string name)
    {
        (_process, _name) = (process, name);
    }

    /// <summary>Standard output as bytes, when started so.</summary>
    public Stream Output => _process.StandardOutput.BaseStream;

    public bool HasExited => _process.HasExited;

    public int Id => _process.Id;

    public static ChildProcess Start(
        string name, string program, IEnumerable<string> arguments, bool binaryOutput = false, IReadOnlyDictionary<string, string>? environment = null)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
        {
            info.Environment[key] = value;
        }

        var child = new ChildProcess(new Process { StartInfo = info }, name);
        child._process.OutputDataReceived += (_, line) => child.Keep(line.Data);
        child._process.ErrorDataReceived += (_, line) => child.Keep(line.Data);
        child.Keep($"$ {program} {string.Join(' ', info.ArgumentList)}");
        child._process.Start();
        child._process.StandardInput.Close();
        child._process.BeginErrorReadLine();
        if (!binaryOutput)
        {
            child._process.BeginOutputReadLine();
        }

        return child;
    }

    /// <summary>Runs a program to its end and returns its lines; a wrong exit code fails the test.</summary>
    public static async Task<IReadOnlyList<string>> RunAsync(string name, string program, IEnumerable<string> arguments, TimeSpan deadline)
    {
        await using var child = Start(name, program, arguments);
        (await child.ExitAsync(deadline)).ShouldBe(0, child.Tail());
        return child.Lines().Skip(1).ToList();
    }

    public IReadOnlyList<string> Lines()
    {
        lock (_gate)
        {
            return _lines.ToList();
        }
    }

    public string Tail() => string.Join('\n', Lines().TakeLast(LinesShown));

    /// <summary>The first line, past or future, that matches.</summary>
    public async Task<string> LineAsync(Func<string, bool> match, TimeSpan deadline)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_lines.Skip(1).FirstOrDefault(match) is { } line)
            {
                return line;
            }

            _waiters.Add((match, found));
        }

        try
        {
            return await found.Task.WaitAsync(deadline, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{_name}: the awaited line did not come in {deadline.TotalSeconds:0.#} s\n{Tail()}", late);
        }
    }

    /// <summary>Waits until something accepts connections on the port.</summary>
    public Task PortAsync(int port, TimeSpan deadline, string address = "127.0.0.1") => Wait.UntilAsync(
        () => HasExited
            ? throw new InvalidOperationException($"{_name} exited with {_process.ExitCode}\n{Tail()}")
            : Ports.IsOpenAsync(port, address),
        deadline,
        () => $"{_name}: port {port} is not open\n{Tail()}");

    /// <summary>The exit code, with all output read.</summary>
    public async Task<int> ExitAsync(TimeSpan deadline)
    {
        using var expiry = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        expiry.CancelAfter(deadline);
        try
        {
            await _process.WaitForExitAsync(expiry.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException late)
        {
            throw new TimeoutException($"{_name} still runs after {deadline.TotalSeconds:0.#} s\n{Tail()}", late);
        }
    }

    /// <summary>SIGTERM: asks the process to end.</summary>
    public void Terminate() => _ = SendSignal(_process.Id, SigTerm);

    /// <summary>SIGKILL: ends it at once, as when a machine fails.</summary>
    public void Kill() => _process.Kill(entireProcessTree: true);

    /// <summary>SIGSTOP: it says nothing any more, and its connections stay open.</summary>
    public void Freeze() => _ = SendSignal(_process.Id, SigStop);

    /// <summary>SIGCONT: it goes on.</summary>
    public void Thaw() => _ = SendSignal(_process.Id, SigContinue);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        await _process.WaitForExitAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"--- {_name}, exit {_process.ExitCode}\n{Tail()}\n");
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_gate)
        {
            _lines.Add(line);
            foreach (var waiter in _waiters.Where(waiter => waiter.Match(line)).ToList())
            {
                waiter.Found.TrySetResult(line);
                _waiters.Remove(waiter);
            }
        }
    }
}
