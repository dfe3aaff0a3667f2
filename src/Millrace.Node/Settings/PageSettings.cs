namespace Millrace.Node.Settings;

/// <summary>The built-in page on the media port.</summary>
internal sealed record PageSettings
{
    /// <summary>Serve the page; default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Show the list of live streams on the page and as a read-only resource; default true. It never holds credentials.</summary>
    public bool List { get; init; } = true;
}
