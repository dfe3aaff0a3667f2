using Millrace.Node.Cluster;

namespace Millrace.Node.Settings;

/// <summary>What the settings mean for one stream, the general and the particular taken together.</summary>
internal static class EffectiveSettings
{
    /// <summary>
    /// By so much of it a link's window is longer than a viewer's: what other nodes say has its price too, and fewer sends pay it, so that an edge
    /// costs its origin no more than a viewer does.
    /// </summary>
    private const int RelayShare = 3;

    /// <summary>
    /// The configured vhost of a host name (from a URL, a Host header or <c>?vhost=</c>; without port): an exact name or alias,
    /// else the longest pattern that matches, else <c>default</c>.
    /// </summary>
    public static VhostSettings VhostOf(this NodeSettings settings, string host)
    {
        // First, so that no pattern can catch these names.
        if (VhostSettings.IsDefault(host))
            return settings.DefaultVhost();
        VhostSettings? best = null;
        var length = -1;
        foreach (var vhost in settings.Vhosts)
        {
            foreach (var pattern in vhost.Aliases.Prepend(vhost.Name))
            {
                if (string.Equals(pattern, host, StringComparison.OrdinalIgnoreCase))
                    return vhost;
                if (pattern.Contains('*') && pattern.Length > length
                    && Glob.IsMatch(pattern.ToLowerInvariant(), host.ToLowerInvariant()))
                {
                    best = vhost;
                    length = pattern.Length;
                }
            }
        }

        return best ?? settings.DefaultVhost();
    }

    /// <summary>The app's own entry; null when none matches.</summary>
    public static AppSettings? AppOf(this VhostSettings vhost, string app)
    {
        foreach (var candidate in vhost.Apps)
        {
            if (Glob.IsMatch(candidate.Name, app))
                return candidate;
        }

        return null;
    }

    /// <summary>Publishing to one app; <see cref="PublishSettings.Key"/> is never <see cref="PublishKeyMode.Auto"/> here.</summary>
    /// <param name="settings">The node's settings.</param>
    /// <param name="vhost">From <see cref="VhostOf"/>.</param>
    /// <param name="app">The RTMP app as the client sent it, <c>live/ID</c> included.</param>
    public static PublishSettings PublishOf(this NodeSettings settings, VhostSettings vhost, string app)
    {
        var publish = vhost.AppOf(app)?.Publish.Over(settings.Publish) ?? settings.Publish;
        if (publish.Key != PublishKeyMode.Auto)
            return publish;
        var isKeyed = app.StartsWith("live/", StringComparison.Ordinal) && app.Length > "live/".Length;
        return publish with { Key = isKeyed ? PublishKeyMode.Name : PublishKeyMode.None };
    }

    /// <summary>Whether any streams are fetched from origins that stand in the settings.</summary>
    public static bool HasOrigins(this NodeSettings settings) =>
        settings.Vhosts.Any(static vhost => vhost.Mode == VhostMode.Remote || vhost.Apps.Any(static app => app.Mode == VhostMode.Remote));

    /// <summary>Where an app's streams are fetched from, as it stands in the settings; null where they are this node's own.</summary>
    public static IReadOnlyList<string>? OriginsOf(this NodeSettings settings, VhostSettings vhost, string app)
    {
        var own = vhost.AppOf(app);
        if ((own?.Mode ?? vhost.Mode) == VhostMode.Local)
            return null;
        var list = own is { Origin.Count: > 0 } ? own.Origin : vhost.Origin;
        return Split(list);
    }

    /// <summary>Who may play and publish an app's streams.</summary>
    /// <param name="vhost">Its vhost.</param>
    /// <param name="own">From <see cref="AppOf"/>.</param>
    public static AccessSettings AccessOf(this VhostSettings vhost, AppSettings? own) => own?.Access.Over(vhost.Access) ?? vhost.Access;

    /// <summary>Whether the origin decides that too.</summary>
    public static bool IsTraversed(this VhostSettings vhost, AppSettings? own) =>
        (own?.Mode ?? vhost.Mode) == VhostMode.Remote && (own?.TokenTraverse ?? vhost.TokenTraverse);

    /// <summary>Where streams that are published to an app are sent as well, as it stands in the settings.</summary>
    public static IReadOnlyList<string> ForwardsOf(this VhostSettings vhost, string app) =>
        vhost.AppOf(app) is { Forward.Count: > 0 } own ? Split(own.Forward) : Split(vhost.Forward);

    /// <summary>HLS of one app's streams.</summary>
    public static HlsSettings HlsOf(this NodeSettings settings, VhostSettings vhost, string app) =>
        vhost.AppOf(app)?.Hls.Over(settings.Hls) ?? settings.Hls;

    /// <summary>The merge window of one stream in one format.</summary>
    public static TimeSpan MergeOf(this NodeSettings settings, VhostSettings vhost, string app, string name, MergeFormat format)
    {
        var merge = settings.Merge;
        if (merge.Streams.Count > 0)
        {
            var key = $"{vhost.Name}/{app}/{name}";
            foreach (var stream in merge.Streams)
            {
                if (Glob.IsMatch(stream.Match, key))
                    return stream.Window;
            }
        }

        var ofFormat = format switch
        {
            MergeFormat.Rtmp => merge.Rtmp,
            MergeFormat.Flv => merge.Flv,
            MergeFormat.Relay => merge.Relay ?? merge.Default + (merge.Default / RelayShare),
            _ => merge.WsFlv,
        };
        return vhost.AppOf(app)?.Merge ?? ofFormat ?? merge.Default;
    }

    /// <summary>The URL by which other nodes reach this one's relay, <c>millrace://host:port</c>; empty where they do not.</summary>
    public static string AdvertisedUrl(this NodeSettings settings)
    {
        var advertise = settings.Cluster.Advertise;
        if (advertise.Length == 0 || advertise.Contains(OriginUrl.Separator, StringComparison.Ordinal))
            return advertise;
        var scheme = settings.Relay is { Listen.Count: 0, Tls.IsEnabled: true } ? OriginUrl.TlsScheme : OriginUrl.Scheme;
        return $"{scheme}{OriginUrl.Separator}{advertise}";
    }

    private static IReadOnlyList<string> Split(IReadOnlyList<string> texts) =>
        [.. texts.SelectMany(static text => text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];

    private static VhostSettings DefaultVhost(this NodeSettings settings)
    {
        foreach (var vhost in settings.Vhosts)
        {
            if (vhost.Name == VhostSettings.DefaultName)
                return vhost;
        }

        throw new InvalidOperationException("The loader adds the default vhost to every configuration.");
    }
}
