using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using Millrace.Configuration;
using Millrace.Doctor;
using Millrace.Node.Settings;

namespace Millrace;

/// <summary>What the process was started with, apart from its arguments; replaced in tests.</summary>
/// <param name="Run">Runs a node until the token is cancelled and gives the exit code.</param>
internal sealed record CommandContext(
    TextWriter Output,
    TextWriter Error,
    IReadOnlyDictionary<string, string> Variables,
    Func<NodeSettings, CancellationToken, Task<int>> Run);

/// <summary>
/// The commands of the executable. Exit codes: 0 is success, 2 is wrong configuration or wrong arguments, 1 is doctor's for
/// whatever fails, anything else is the node's own.
/// </summary>
internal sealed class CommandLine
{
    public const int WrongConfiguration = 2;
    private const int SomethingFails = 1;

    private readonly CommandContext _context;

    private readonly Option<string?> _config = new("--config")
    {
        Description = $"Configuration file; without it ./{SettingsLoader.DefaultFile} if it is there, else the defaults.",
        HelpName = SettingsLoader.DefaultFile,
    };

    private readonly Option<string?> _preset = new("--preset")
    {
        Description = $"Starting point beneath the configuration file: {string.Join(", ", Presets.Names)}.",
        HelpName = "NAME",
    };

    private readonly Option<string?> _role = new("--role")
    {
        Description = $"What the node is for, beneath the configuration file: {string.Join(", ", RoleLayer.Names)}. An edge fetches its streams from ORIGIN_HOST.",
        HelpName = "ROLE",
    };

    private readonly Option<bool> _print = new("--print") { Description = "Print the effective configuration and where it comes from." };

    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };

    private readonly Option<string?> _stream = new("--stream")
    {
        Description = "Ask this node, the origins and the cluster's map for a stream too, and say what they know of it.",
        HelpName = "VHOST/APP/NAME",
    };

    private CommandLine(CommandContext context) => _context = context;

    public static async Task<int> InvokeAsync(string[] arguments, CommandContext context, CancellationToken cancellationToken)
    {
        var result = new CommandLine(context).Root().Parse(arguments);
        var configuration = new InvocationConfiguration
        {
            Output = context.Output,
            Error = context.Error,
            EnableDefaultExceptionHandler = false,

            // Signals are ours (StopSignals): the library would end the process two seconds after the first one.
            ProcessTerminationTimeout = null,
        };
        var code = await result.InvokeAsync(configuration, cancellationToken);
        return result.Errors.Count > 0 ? WrongConfiguration : code;
    }

    private RootCommand Root()
    {
        var run = new Command("run", "Run a media node until it is told to stop (SIGINT, SIGTERM).") { _config, _preset, _role };
        run.SetAction((result, cancellationToken) => RunAsync(result, cancellationToken));

        var check = new Command("check-config", "Check the configuration, print all errors, and exit.") { _config, _preset, _role, _print };
        check.SetAction(CheckConfig);

        var doctor = new Command("doctor", "Check what a node needs here: ports, origins, Redis, clocks, limits. Changes nothing; exits with 1 when something fails.")
        {
            _config, _preset, _role, _stream, _json,
        };
        doctor.SetAction((result, cancellationToken) => VisitAsync(result, cancellationToken));

        var version = new Command("version", "Print the version.");
        version.SetAction(_ => _context.Output.WriteLine(Version()));

        return new RootCommand("Millrace: a live-streaming server.") { run, check, doctor, version };
    }

    private async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken) =>
        Load(result) is { } loaded ? await _context.Run(loaded.Settings, cancellationToken) : WrongConfiguration;

    private async Task<int> VisitAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var report = await Visit.RunAsync(Read(result), result.GetValue(_stream), cancellationToken);
        if (result.GetValue(_json))
            report.WriteJson(_context.Output);
        else
            report.WriteText(_context.Output);
        return report.Result == CheckResult.Fail ? SomethingFails : 0;
    }

    private int CheckConfig(ParseResult result)
    {
        if (Load(result) is not { } loaded)
            return WrongConfiguration;

        // With --print the output is a configuration file, so "ok" goes where it does no harm.
        var isPrinted = result.GetValue(_print);
        if (isPrinted)
            _context.Output.Write(SettingsWriter.Write(loaded.Settings, loaded.OriginOf));
        (isPrinted ? _context.Error : _context.Output).WriteLine("ok");
        return 0;
    }

    /// <summary>Null when the configuration is wrong; everything that is wrong has then been printed.</summary>
    private LoadedSettings? Load(ParseResult result)
    {
        var loaded = Read(result);
        foreach (var error in loaded.Errors)
            _context.Error.WriteLine(error);
        return loaded.Errors.Count == 0 ? loaded : null;
    }

    private LoadedSettings Read(ParseResult result)
    {
        var loaded = SettingsLoader.Load(new SettingsSources(result.GetValue(_config), result.GetValue(_preset), _context.Variables) { Role = result.GetValue(_role) });
        foreach (var notice in loaded.Notices)
            _context.Error.WriteLine(notice);
        return loaded;
    }

    private static string Version()
    {
        var version = typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return $"millrace {version} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})";
    }
}
