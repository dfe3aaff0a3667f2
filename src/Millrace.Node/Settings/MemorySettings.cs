namespace Millrace.Node.Settings;

/// <summary>The one budget that all media in memory shares.</summary>
internal sealed record MemorySettings
{
    /// <summary>
    /// Bytes that stream logs, wire logs and all other media may hold together; null (<c>auto</c>, the default) is half of
    /// the cgroup's limit, or of the machine's memory where there is no limit (<see cref="MediaMemory"/>). At least 16 MB.
    /// </summary>
    public long? Media { get; init; }
}
