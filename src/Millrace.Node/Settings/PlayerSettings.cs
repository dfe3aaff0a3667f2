namespace Millrace.Node.Settings;

/// <summary>Players, whatever protocol they speak.</summary>
internal sealed record PlayerSettings
{
    /// <summary>How long a player of a name that nobody publishes is kept waiting; default 30 s; 0 refuses it at once.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(30);
}
