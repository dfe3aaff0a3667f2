namespace Millrace.EndToEnd.Harness;

/// <summary>How long the tests go on that only look for something that must never happen.</summary>
internal static class LongRun
{
    /// <summary>./dev e2e --long: as long as a release is tested.</summary>
    public static bool IsAsked { get; } = Environment.GetEnvironmentVariable("MILLRACE_E2E") == "long";

    /// <summary>A page is looked at once a second so often.</summary>
    public static int Looks { get; } = IsAsked ? 120 : 45;

    /// <summary>How long a low-latency stream is judged while its publisher stops, is killed and comes back.</summary>
    public static TimeSpan Conformance { get; } = TimeSpan.FromSeconds(IsAsked ? 180 : 90);

    public static TimeSpan Crawl { get; } = TimeSpan.FromSeconds(IsAsked ? 120 : 24);

    /// <summary>Times that a player goes to another node.</summary>
    public static int Switches { get; } = IsAsked ? 6 : 3;

    /// <summary>Streams that one edge fetches, and viewers of a single one.</summary>
    public static int Many { get; } = IsAsked ? 1_000 : 100;

    /// <summary>Faults of a chaos run.</summary>
    public static int Faults { get; } = IsAsked ? 100 : 12;

    /// <summary>Viewers behind a cache, and how long they watch.</summary>
    public static int CachedViewers { get; } = IsAsked ? 1_000 : 200;

    /// <inheritdoc cref="CachedViewers"/>
    public static TimeSpan CachedWatch { get; } = TimeSpan.FromSeconds(IsAsked ? 60 : 16);
}
