using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Millrace.Node.Tests.Harness;

/// <summary>Keeps every line that a node logs.</summary>
internal sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<(DateTime Time, string Text)> _lines = new();

    public IReadOnlyList<string> All => [.. _lines.Select(static line => line.Text)];

    public IReadOnlyList<string> Containing(string text) => [.. All.Where(line => line.Contains(text, StringComparison.Ordinal))];

    /// <summary>The last lines, with their times.</summary>
    public string Tail(int count) => string.Join('\n', _lines.TakeLast(count).Select(static line => string.Create(CultureInfo.InvariantCulture, $"  {line.Time:mm:ss.fff} {line.Text}")));

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _lines);

    public void Dispose()
    {
    }

    private sealed class Logger(string category, ConcurrentQueue<(DateTime Time, string Text)> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                lines.Enqueue((DateTime.UtcNow, $"{logLevel} {category}: {formatter(state, exception)} {exception}"));
        }
    }
}
