using Millrace.Node.Cluster;
using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>Names, addresses and times of the cluster.</summary>
internal static class ClusterValidator
{
    private static readonly TimeSpan LeastHeartbeat = TimeSpan.FromMilliseconds(100);

    public static void Check(ClusterSettings cluster, SettingsChecks checks)
    {
        checks.Require(cluster.Node.Length <= ClusterSettings.MaxNodeLength && cluster.Node.All(IsNameCharacter), "cluster.node",
            $"'{cluster.Node}' is not a name: letters, digits, '.', '-' and '_', at most {ClusterSettings.MaxNodeLength}");
        Advertise(cluster.Advertise, checks);
        checks.Positive("cluster.heartbeat", cluster.Heartbeat, LeastHeartbeat, TimeSpan.FromMinutes(1));
        var isExpiryValid = cluster.Expiry >= 2 * cluster.Heartbeat && cluster.Expiry <= TimeSpan.FromMinutes(10);
        checks.Require(isExpiryValid, "cluster.expiry",
            $"{Units.Format(cluster.Expiry)} is out of range: two heartbeats ({Units.Format(2 * cluster.Heartbeat)}) to 10m");
        checks.Positive("cluster.lookup_timeout", cluster.LookupTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10));
        Public("cluster.public.rtmp", cluster.Public.Rtmp, "rtmp", checks);
        Public("cluster.public.http", cluster.Public.Http, Uri.UriSchemeHttp, checks);
        Public("cluster.public.https", cluster.Public.Https, Uri.UriSchemeHttps, checks);
        Redis(cluster.Redis, checks);
    }

    private static void Public(string path, string address, string scheme, SettingsChecks checks)
    {
        if (address.Length == 0 || address == PublicSettings.None)
            return;
        var isAddress = Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme == scheme && url.Host.Length > 0
            && url.AbsolutePath is "" or "/" && url.Query.Length == 0 && url.Fragment.Length == 0 && url.UserInfo.Length == 0 && OriginUrl.IsUsable(address);
        checks.Require(isAddress, path, $"'{address}' is neither {scheme}://host:port nor {PublicSettings.None}");
    }

    private static void Advertise(string advertise, SettingsChecks checks)
    {
        var host = OriginUrl.WithoutScheme(advertise);
        var scheme = advertise[..^host.Length];
        if (scheme is not ("" or $"{OriginUrl.Scheme}{OriginUrl.Separator}" or $"{OriginUrl.TlsScheme}{OriginUrl.Separator}"))
            checks.Fail("cluster.advertise", $"'{advertise}': other nodes connect by millrace:// or millraces://");
        else if (advertise.Length > 0 && !HostEndpoint.TryParse(host, 0, out _, out var error))
            checks.Fail("cluster.advertise", error);
    }

    private static void Redis(RedisSettings redis, SettingsChecks checks)
    {
        if (!HostEndpoint.TryParse(redis.Endpoint, RedisSettings.DefaultPort, out _, out var error))
            checks.Fail("cluster.redis.endpoint", error);
        checks.Require(!redis.Password.Value.Any(char.IsControl), "cluster.redis.password", "must not contain control characters");
        checks.Count("cluster.redis.database", redis.Database, 0, 65_535);
        var isPrefix = redis.Prefix.Length <= RedisSettings.MaxPrefixLength && !redis.Prefix.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));
        checks.Require(isPrefix, "cluster.redis.prefix", $"must be at most {RedisSettings.MaxPrefixLength} characters without white space");
        checks.Positive("cluster.redis.connect_timeout", redis.ConnectTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30));
    }

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_';
}
