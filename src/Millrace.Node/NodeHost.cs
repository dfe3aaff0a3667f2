using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Millrace.Node.Settings;
using Millrace.Node.Shards;

namespace Millrace.Node;

/// <summary>Runs a node in this process: opens its listeners, says what listens where, serves until told to stop, closes in order.</summary>
internal static class NodeHost
{
    /// <summary>Exit code when a listener could not be opened.</summary>
    private const int ExitCannotListen = 3;

    /// <summary>Runs a node.</summary>
    /// <param name="settings">Valid settings: the caller has checked them.</param>
    /// <param name="cancellationToken">Cancelled by the first signal; the node then has <c>shutdown.deadline</c> to end.</param>
    /// <returns>The process's exit code: 0 after an orderly stop, 3 when an address cannot be listened on.</returns>
    public static async Task<int> RunAsync(NodeSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        using var loggers = CreateLoggers(settings.Log);
        await using var node = new MediaNode(settings, loggers);
        try
        {
            await node.StartAsync(cancellationToken);
        }
        catch (ListenException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCannotListen;
        }

        foreach (var line in node.Describe())
            Console.WriteLine(line);
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await node.StopAsync();
        return 0;
    }

    private static ILoggerFactory CreateLoggers(LogSettings settings) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(settings.Level switch
        {
            LogThreshold.Trace => LogLevel.Trace,
            LogThreshold.Debug => LogLevel.Debug,
            LogThreshold.Warning => LogLevel.Warning,
            LogThreshold.Error => LogLevel.Error,
            _ => LogLevel.Information,
        });
        builder.AddFilter("Microsoft", LogLevel.Warning);
        // It only logs each request, which we do not; but for that it would make an Activity for each, and a scope.
        builder.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        // Shards log, and must not wait for whoever reads the log: what its queue (2,500 lines) cannot hold is dropped, and counted there.
        builder.AddConsole(options => options.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);
        const string Time = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        if (settings.Format == LogFormat.Json)
        {
            builder.AddJsonConsole(options => (options.TimestampFormat, options.UseUtcTimestamp) = (Time.Trim(), true));
        }
        else
        {
            builder.AddSimpleConsole(options =>
                (options.TimestampFormat, options.UseUtcTimestamp, options.SingleLine, options.ColorBehavior) = (Time, true, true, LoggerColorBehavior.Disabled));
        }
    });
}
