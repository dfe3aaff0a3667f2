namespace Millrace.Node.Cluster;

/// <summary>Values of the map. They come from whoever can write to it, so they are looked at before anybody follows them.</summary>
internal static class OriginUrl
{
    public const string Scheme = "millrace";
    public const string TlsScheme = "millraces";
    public const string Separator = "://";

    /// <summary>In characters: an address and twice the longest stream name.</summary>
    public const int MaxLength = 2048;

    /// <summary>Whether this is an absolute URL with a host, of bounded length, without white space and control characters.</summary>
    public static bool IsUsable(string value)
    {
        if (value.Length is 0 or > MaxLength || !value.Contains(Separator, StringComparison.Ordinal))
            return false;
        foreach (var c in value)
        {
            // U+FFFD stands for bytes that were not UTF-8.
            if (char.IsControl(c) || char.IsWhiteSpace(c) || c == '\uFFFD')
                return false;
        }

        return Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Host.Length > 0;
    }

    /// <summary>Whether a value leads to this node's own relay: left over from before a restart, say.</summary>
    /// <param name="value">A value of the map.</param>
    /// <param name="advertise"><c>cluster.advertise</c>; empty where there is none.</param>
    public static bool LeadsTo(string value, string advertise)
    {
        // With TLS or without: that may have been otherwise before the restart.
        var host = WithoutScheme(advertise);
        return host.Length > 0
            && (value.StartsWith($"{Scheme}{Separator}{host}/", StringComparison.OrdinalIgnoreCase)
                || value.StartsWith($"{TlsScheme}{Separator}{host}/", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The <c>host:port</c> of <c>cluster.advertise</c>.</summary>
    public static string WithoutScheme(string advertise)
    {
        var separator = advertise.IndexOf(Separator, StringComparison.Ordinal);
        return separator < 0 ? advertise : advertise[(separator + Separator.Length)..];
    }
}
