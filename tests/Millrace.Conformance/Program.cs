using Millrace.Conformance;
using Millrace.Conformance.Crawl;

if (!CommandLine.TryParse(args, out var command, out var error))
{
    Console.Error.WriteLine(error);
    Console.Error.WriteLine(CommandLine.Usage);
    return 2;
}

using var cancel = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    cancel.Cancel();
};
try
{
    var report = await Crawler.RunAsync(command.Address, command.Time, command.Options, cancel.Token);
    Console.Write(report.ToTable());
    return report.Failed ? 1 : 0;
}
catch (CrawlException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
catch (OperationCanceledException)
{
    return 130;
}
