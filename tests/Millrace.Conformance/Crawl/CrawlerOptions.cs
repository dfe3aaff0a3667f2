namespace Millrace.Conformance.Crawl;

/// <summary>Something that the caller does to the publisher while the crawl runs.</summary>
/// <param name="Fraction">When, as a fraction of the crawl's time.</param>
/// <param name="Name">For the report.</param>
/// <param name="Act">For example stops the publisher, waits and starts it again; its end is the disturbance's end.</param>
internal sealed record Disturbance(double Fraction, string Name, Func<CancellationToken, Task> Act)
{
    /// <summary>What the stream may need afterwards until times are regular again; 3 target durations when it is null.</summary>
    public TimeSpan? Recovery { get; init; }
}

/// <summary>How to crawl.</summary>
internal sealed record CrawlerOptions
{
    /// <summary>Takes any certificate.</summary>
    public bool Insecure { get; init; }

    /// <summary>Goes on, beyond the time if need be, until every playlist has ended.</summary>
    public bool UntilEnd { get; init; }

    public IReadOnlyList<Disturbance> Disturbances { get; init; } = [];

    /// <summary>What a noisy machine may add to a time before it is late.</summary>
    public TimeSpan Tolerance { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Between two groups of probes.</summary>
    public TimeSpan ProbePause { get; init; } = TimeSpan.FromMilliseconds(700);

    /// <summary>How long to wait for the Multivariant Playlist to exist.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(20);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Takes the requests instead of the network; the tests' origin.</summary>
    public HttpMessageHandler? Handler { get; init; }
}
