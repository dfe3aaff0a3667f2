using System.CommandLine;
using Millrace.Bench.Commands;

var root = new RootCommand("Benchmarks of Millrace: what a delivered Gbit and a received one cost, how much time the server adds, what slow viewers cost others, what viewers that come and go cost and leave behind, what HTTP and HLS cost, what a send costs, what memory a viewer takes.")
{
    FanoutCommand.Create(),
    EdgesCommand.Create(),
    LatencyCommand.Create(),
    PublishCommand.Create(),
    ChurnCommand.Create(),
    HttpCommand.Create(),
    HlsCommand.Create(),
    IsolationCommand.Create(),
    SendCommand.Create(),
    MemoryCommand.Create(),
    PlayersCommand.Create(),
    PublishersCommand.Create(),
    WaitersCommand.Create(),
    WatchersCommand.Create(),
    GetsCommand.Create(),
    CrowdCommand.Create(),
    SinksCommand.Create(),
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
