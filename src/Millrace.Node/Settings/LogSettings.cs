namespace Millrace.Node.Settings;

/// <summary>The process's own log, written to standard output.</summary>
internal sealed record LogSettings
{
    /// <summary>One line of text or one JSON object per entry; default text.</summary>
    public LogFormat Format { get; init; } = LogFormat.Text;

    /// <summary>The least severe level that is written; default information.</summary>
    public LogThreshold Level { get; init; } = LogThreshold.Information;
}

internal enum LogFormat
{
    Text,
    Json,
}

internal enum LogThreshold
{
    Trace,
    Debug,
    Information,
    Warning,
    Error,
}
