using System.CommandLine;
using Millrace.Bench.Commands;

var root = new RootCommand("Benchmarks of Millrace: what a delivered Gbit costs, how much time the server adds, what cycles leave behind, what HLS costs.")
{
    FanoutCommand.Create(),
    LatencyCommand.Create(),
    CyclesCommand.Create(),
    HlsCommand.Create(),
    PlayersCommand.Create(),
    WaitersCommand.Create(),
    GetsCommand.Create(),
    RelayCommand.Create(),
};
try
{
    return root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (InvalidOperationException e)
{
    // What stands in the way of a run (a port in use, a program that is missing or does not start): not a result, so not 1 or 2.
    Console.Error.WriteLine(e.Message);
    return 3;
}
