namespace Millrace.Node.Access;

internal enum AccessOutcome
{
    Allowed,

    /// <summary>Nothing was shown where something is needed.</summary>
    Missing,

    /// <summary>What was shown does not do.</summary>
    Denied,

    /// <summary>It could not be found out.</summary>
    Unavailable,
}

/// <summary>What was decided.</summary>
/// <param name="Outcome">Whether somebody may.</param>
/// <param name="Reason">Why not, for him and the log; empty where he may.</param>
/// <param name="Until">Monotonic time when it has to be decided again, microseconds.</param>
internal sealed record AccessVerdict(AccessOutcome Outcome, string Reason, long Until)
{
    /// <summary>Settings say so, and they do not change.</summary>
    public static AccessVerdict Open { get; } = new(AccessOutcome.Allowed, "", long.MaxValue);

    public static AccessVerdict Missing { get; } = new(AccessOutcome.Missing, "the token is missing", long.MaxValue);

    public static AccessVerdict Wrong { get; } = new(AccessOutcome.Denied, "the token is wrong", long.MaxValue);

    /// <summary>It is left to the origin, and there is none.</summary>
    public static AccessVerdict Nobody { get; } = new(AccessOutcome.Unavailable, "no origin is set that could be asked whether that is allowed", long.MaxValue);

    /// <summary>From then on it is asked for again while it still holds.</summary>
    public long RenewAt { get; init; } = long.MaxValue;

    /// <summary>So long a yes is remembered, should no origin be there to say it again.</summary>
    public long KeptUntil { get; init; } = Until;

    /// <summary>No origin was there to say it again.</summary>
    public bool IsStale { get; init; }

    /// <summary>Its origin has hung up when it was asked again.</summary>
    public bool IsDoubted { get; init; }

    public bool IsAllowed => Outcome == AccessOutcome.Allowed;

    /// <summary>As an HTTP status.</summary>
    public int Status => Outcome switch
    {
        AccessOutcome.Allowed => 200,
        AccessOutcome.Missing => 401,
        AccessOutcome.Denied => 403,
        _ => 503,
    };
}
