using System.Diagnostics;
using Millrace.Node.Settings;

namespace Millrace.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-").FullName;

    [Fact]
    public async Task The_built_program_prints_its_version()
    {
        var (code, output, error) = await ExecuteAsync("version");
        (code, error).ShouldBe((0, ""));
        output.ShouldStartWith("millrace 0.");
    }

    [Fact]
    public async Task The_built_program_checks_the_file_in_its_folder()
    {
        Write("rtmp:\n  chunk_size: 4096\n");
        (await ExecuteAsync("check-config")).ShouldBe((0, "ok\n", ""));
        (await ExecuteAsync("check-config", "--print")).Output.ShouldContain("chunk_size: 4KB  # millrace.yml:2\n");
    }

    [Theory]
    [InlineData("check-config")]
    [InlineData("run")]
    public async Task The_built_program_prints_all_errors_and_exits_with_2(string command)
    {
        Write("rtmp:\n  chunk_size: 1\nlog:\n  level: loud\n");
        var (code, output, error) = await ExecuteAsync(command);
        (code, output).ShouldBe((2, ""));
        error.ShouldBe("""
            millrace.yml:2: rtmp.chunk_size: 1 is out of range: 128 to 65536
            millrace.yml:4: log.level: 'loud' is not one of trace, debug, information, warning, error

            """);
    }

    [Fact]
    public async Task A_file_that_is_asked_for_must_be_there()
    {
        var (code, _, error) = await InvokeAsync("check-config", "--config", "/nowhere/millrace.yml");
        (code, error).ShouldBe((2, "/nowhere/millrace.yml: cannot be read: there is no such file\n"));
    }

    [Fact]
    public async Task Wrong_arguments_exit_with_2_and_say_why()
    {
        (await InvokeAsync("check-config", "--confg", "x")).Code.ShouldBe(2);
        (await InvokeAsync()).Code.ShouldBe(2);
        (await InvokeAsync("check-config", "--preset", "other")).Error.ShouldStartWith("--preset: 'other' is no preset");
    }

    [Fact]
    public async Task Run_gives_the_node_its_settings_and_returns_its_exit_code()
    {
        NodeSettings? seen = null;
        using var stop = new CancellationTokenSource();
        var running = InvokeAsync(["run", "--preset", "restreamer-edge"], async (settings, cancellationToken) =>
        {
            seen = settings;
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 7;
        }, stop.Token);
        running.IsCompleted.ShouldBeFalse();
        await stop.CancelAsync();
        (await running).Code.ShouldBe(7);
        seen!.Rtmp.ChunkSize.ShouldBe(4000);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Task<(int Code, string Output, string Error)> InvokeAsync(params string[] arguments) =>
        InvokeAsync(arguments, (_, _) => throw new InvalidOperationException("must not run"), CancellationToken.None);

    private static async Task<(int Code, string Output, string Error)> InvokeAsync(
        string[] arguments, Func<NodeSettings, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var context = new CommandContext(output, error, new Dictionary<string, string>(), run);
        return (await CommandLine.InvokeAsync(arguments, context, cancellationToken), output.ToString(), error.ToString());
    }

    private void Write(string yaml) => File.WriteAllText(Path.Combine(_folder, "millrace.yml"), yaml);

    /// <summary>Runs the built executable in a folder of its own, without the variables that it reads.</summary>
    private async Task<(int Code, string Output, string Error)> ExecuteAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "millrace.dll") },
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var ours = start.Environment.Keys.Where(k => k.Contains("MILLRACE", StringComparison.OrdinalIgnoreCase)
            || k.StartsWith("RTMP_", StringComparison.Ordinal) || k.StartsWith("HTTP_", StringComparison.Ordinal)).ToArray();
        foreach (var name in ours)
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
