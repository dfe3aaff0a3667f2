using Millrace.Node.Relay;
using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>The link between nodes, and where streams are fetched from.</summary>
internal static class RelayValidator
{
    /// <summary>A server shows who connects that it knows the secret, before he has (HMAC-SHA256 of what both have said).</summary>
    private const int LeastSecret = 16;

    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static void Check(NodeSettings settings, SettingsChecks checks)
    {
        var (relay, edge) = (settings.Relay, settings.Edge);
        checks.Token("relay.secret", relay.Secret);
        checks.Require(!relay.Secret.IsSet || relay.Secret.Value.Length >= LeastSecret, "relay.secret",
            $"whoever connects could try out short ones by himself: at least {LeastSecret} characters, of chance");
        checks.Positive("relay.heartbeat", relay.Heartbeat, Millisecond, Minute);
        checks.Positive("relay.timeout", relay.Timeout, 2 * relay.Heartbeat, Minute);
        Tls(relay, checks);
        checks.Duration("edge.linger", edge.Linger);
        checks.Positive("edge.start_timeout", edge.StartTimeout, Millisecond, Minute);
        checks.Duration("edge.negative_cache", edge.NegativeCache, Minute);
        checks.Count("edge.pending", edge.Pending, 1, 1_000_000);
        checks.Positive("edge.connect_timeout", edge.ConnectTimeout, Millisecond, Minute);
        checks.Positive("edge.media_timeout", edge.MediaTimeout, Millisecond, Minute);
        checks.Duration("edge.failback", edge.Failback);
        checks.Positive("edge.retry_min", edge.RetryMin, Millisecond, Minute);
        checks.Positive("edge.retry_max", edge.RetryMax, edge.RetryMin);
        checks.Positive("edge.give_up", edge.GiveUp, Millisecond);
        checks.Positive("edge.access_cache", edge.AccessCache, 100 * Millisecond, Hour);
        checks.Positive("edge.access_refusal_cache", edge.AccessRefusalCache, 100 * Millisecond, Hour);
        checks.Positive("edge.access_timeout", edge.AccessTimeout, Millisecond, Minute);
    }

    /// <summary>Origins of a vhost or an app.</summary>
    /// <param name="path">Of the section.</param>
    /// <param name="isRemote">It fetches its streams.</param>
    /// <param name="own">As it stands there.</param>
    /// <param name="inherited">What holds where nothing stands there.</param>
    /// <param name="isMapped">The cluster's map says where streams are.</param>
    /// <param name="checks">Takes what is wrong.</param>
    public static void CheckOrigins(string path, bool isRemote, IReadOnlyList<string> own, IReadOnlyList<string> inherited, bool isMapped, SettingsChecks checks)
    {
        Check($"{path}.origin", own, isPublisher: false, checks);
        if (isRemote && own.Count + inherited.Count == 0 && !isMapped)
            checks.Fail($"{path}.origin", "is missing: where are the streams to be fetched from?");
    }

    /// <summary>Where a vhost or an app sends its streams as well.</summary>
    public static void CheckForward(string path, IReadOnlyList<string> forward, SettingsChecks checks) =>
        Check($"{path}.forward", forward, isPublisher: true, checks);

    /// <summary>What a vhost is called elsewhere.</summary>
    public static void CheckUpstreamVhost(string path, string name, SettingsChecks checks) =>
        checks.Require(name.Replace("[vhost]", "", StringComparison.Ordinal).All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'), $"{path}.upstream_vhost",
            $"'{name}' is not a host name: letters, digits, '.', '-', '_' and [vhost] for the vhost's own; no port");

    private static void Tls(RelaySettings relay, SettingsChecks checks)
    {
        var tls = relay.Tls;
        if (tls.Certificate.Length > 0 != tls.Key.Length > 0)
            checks.Fail(tls.Key.Length > 0 ? "relay.tls.certificate" : "relay.tls.key", "is missing: TLS needs the files of a certificate and of its key, or neither");
        if (!tls.ClientCertificates)
            return;
        checks.Require(tls.IsEnabled, "relay.tls.client_certificates", "nodes show their certificates by TLS: it needs relay.tls.listen, certificate and key");
        checks.Require(tls.Authority.Length > 0, "relay.tls.authority", "is missing: anybody can have a certificate that the machine trusts");
        checks.Require(relay.Listen.Count == 0 || relay.Secret.IsSet, "relay.listen", "nodes could connect here without a certificate: write [], or set relay.secret");
    }

    private static void Check(string path, IReadOnlyList<string> texts, bool isPublisher, SettingsChecks checks)
    {
        for (var i = 0; i < texts.Count; i++)
        {
            foreach (var text in texts[i].Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                var own = FormattableString.Invariant($"{path}[{i}]");
                if (!OriginAddress.TryParse(text, out var address, out var error))
                    checks.Fail(own, error);
                else if (isPublisher && address.Kind == OriginKind.Flv)
                    checks.Fail(own, $"'{text}': nothing can be published by HTTP; write rtmp:// or millrace://");
            }
        }
    }
}
