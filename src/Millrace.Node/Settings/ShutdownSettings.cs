namespace Millrace.Node.Settings;

/// <summary>The end of the process.</summary>
internal sealed record ShutdownSettings
{
    /// <summary>
    /// From the first signal to the end, however many connections are left; default 10 s, as container runtimes kill after that;
    /// 0 ends at once.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);
}
