using System.CommandLine;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Commands;

/// <summary>The options of all commands that run servers on one core beside a load on another.</summary>
/// <param name="firstPort">Default of `--base-port`.</param>
/// <param name="mayBeNginx">`--server nginx` measures the harness against itself.</param>
internal sealed class CommonOptions(int firstPort, bool mayBeNginx = false)
{
    public Option<string> Server { get; } = new("--server")
    {
        Description = mayBeNginx ? "Our server's program, or `nginx` for the harness check" : "Our server's program",
        DefaultValueFactory = _ => Target.DefaultProgram,
    };

    public Option<int> BasePort { get; } = new("--base-port") { Description = "First of six ports on 127.0.0.1", DefaultValueFactory = _ => firstPort };

    public Option<int> ServerCore { get; } = new("--server-core") { Description = "Core of the servers", DefaultValueFactory = _ => 0 };

    public Option<int> LoadCore { get; } = new("--load-core") { Description = "Core of load generator and publishers", DefaultValueFactory = _ => 1 };

    public Option<string?> Keep { get; } = new("--keep") { Description = "Write bench/results/NAME.json, which git does not ignore" };

    public void AddTo(Command command)
    {
        command.Add(Server);
        command.Add(BasePort);
        command.Add(ServerCore);
        command.Add(LoadCore);
        command.Add(Keep);
    }
}
