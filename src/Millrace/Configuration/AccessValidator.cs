using Millrace.Node.Relay;
using Millrace.Node.Settings;

namespace Millrace.Configuration;

/// <summary>Who may play and publish: what is protected must be possible to open, and what is meant to be protected must be.</summary>
internal static class AccessValidator
{
    public static void Check(string path, VhostSettings vhost, NodeSettings settings, SettingsChecks checks)
    {
        var access = vhost.Access;
        Check($"{path}.access", "play", access.Play, access.PlayTokens, access.PlayTokens, checks);
        Check($"{path}.access", "publish", access.Publish, access.PublishTokens, access.PublishTokens, checks);
        if (vhost.TokenTraverse)
        {
            CheckTraverse(path, vhost.Mode, vhost.Origin, vhost.Protocol, checks);
            CheckPublish(path, vhost.Mode, vhost.Origin, access.Publish == AccessMode.Token || settings.Publish.Token.IsSet, checks);
        }
    }

    public static void Check(string path, AppSettings app, VhostSettings vhost, NodeSettings settings, SettingsChecks checks)
    {
        var access = app.Access.Over(vhost.Access);
        Check($"{path}.access", "play", access.Play, app.Access.PlayTokens, access.PlayTokens, checks);
        Check($"{path}.access", "publish", access.Publish, app.Access.PublishTokens, access.PublishTokens, checks);
        if (app.TokenTraverse ?? (vhost.TokenTraverse && app.Mode != VhostMode.Local))
        {
            var (mode, origins) = (app.Mode ?? vhost.Mode, app.Origin.Count > 0 ? app.Origin : vhost.Origin);
            CheckTraverse(path, mode, origins, vhost.Protocol, checks);
            CheckPublish(path, mode, origins, access.Publish == AccessMode.Token || (app.Publish.Token ?? settings.Publish.Token).IsSet, checks);
        }
    }

    /// <param name="path">Of the section.</param>
    /// <param name="action">Play or publish.</param>
    /// <param name="mode">In effect.</param>
    /// <param name="own">Tokens that stand here.</param>
    /// <param name="tokens">Those in effect.</param>
    /// <param name="checks">Takes what is wrong.</param>
    private static void Check(string path, string action, AccessMode mode, IReadOnlyList<Secret> own, IReadOnlyList<Secret> tokens, SettingsChecks checks)
    {
        for (var i = 0; i < own.Count; i++)
        {
            var token = FormattableString.Invariant($"{path}.{action}_tokens[{i}]");
            checks.Token(token, own[i]);
            checks.Require(own[i].IsSet, token, "is empty: nobody can show it");
        }

        if (mode == AccessMode.Open && own.Count > 0)
            checks.Fail($"{path}.{action}_tokens", $"have no effect while {action} is open: write {action}: token");
        else if (mode == AccessMode.Token && tokens.Count == 0)
            checks.Fail($"{path}.{action}_tokens", $"are missing: nobody could {action}");
    }

    private static void CheckTraverse(string path, VhostMode mode, IReadOnlyList<string> origins, UpstreamProtocol protocol, SettingsChecks checks)
    {
        if (mode == VhostMode.Local)
            checks.Fail($"{path}.token_traverse", "needs mode: remote: who is to be asked?");
        foreach (var text in origins.SelectMany(static text => text.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (OriginAddress.TryParse(text, out var address, out _, protocol) && address.Kind == OriginKind.Flv)
                checks.Fail($"{path}.token_traverse", $"'{text}' cannot be asked who may play: only millrace:// and rtmp:// can");
        }
    }

    /// <summary>A map says who has a stream; about one that nobody has yet, only origins or tokens can decide.</summary>
    private static void CheckPublish(string path, VhostMode mode, IReadOnlyList<string> origins, bool hasTokens, SettingsChecks checks)
    {
        if (mode == VhostMode.Remote && origins.Count == 0 && !hasTokens)
            checks.Fail($"{path}.token_traverse", "needs origin, or access.publish: token with publish_tokens: else nobody can say who may publish");
    }
}
