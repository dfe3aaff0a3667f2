namespace Millrace.Node.Settings;

/// <summary>The status page on the media port, for whoever has its name and password (Basic, RFC 7617).</summary>
internal sealed record StatusSettings
{
    /// <summary>User name; default none, and no status page. Restreamer-Edge: admin.</summary>
    public string Username { get; init; } = "";

    /// <summary>Password; default none, and no status page. Restreamer-Edge: datarhei.</summary>
    public Secret Password { get; init; }

    public bool IsEnabled => Username.Length > 0 && Password.IsSet;
}
