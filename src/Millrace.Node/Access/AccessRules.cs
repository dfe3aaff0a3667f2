using Millrace.Node.Relay;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Access;

/// <summary>The rules of all vhosts and apps, made once: settings do not change.</summary>
internal sealed class AccessRules
{
    private readonly NodeSettings _settings;

    // By the section of the settings itself: an app's own, else its vhost's.
    private readonly Dictionary<object, (AccessRule? Play, AccessRule? Publish)> _rules = new(ReferenceEqualityComparer.Instance);

    public AccessRules(NodeSettings settings)
    {
        _settings = settings;
        foreach (var vhost in settings.Vhosts)
        {
            Add(vhost, null);
            foreach (var app in vhost.Apps)
                Add(vhost, app);
        }

        IsPlayOpen = _rules.Values.All(static rules => rules.Play is null);
    }

    /// <summary>Everybody may play everything.</summary>
    public bool IsPlayOpen { get; }

    /// <summary>Null where everybody may.</summary>
    public AccessRule? Find(StreamName stream, AccessAction action)
    {
        if (action == AccessAction.Play && IsPlayOpen)
            return null;
        var vhost = _settings.VhostOf(stream.Vhost);
        var rules = _rules[vhost.AppOf(stream.App) ?? (object)vhost];
        return action == AccessAction.Play ? rules.Play : rules.Publish;
    }

    private void Add(VhostSettings vhost, AppSettings? app)
    {
        var access = vhost.AccessOf(app);
        var isTraversed = vhost.IsTraversed(app);
        var origins = isTraversed ? OriginsOf(vhost, app is { Origin.Count: > 0 } ? app.Origin : vhost.Origin) : [];
        IReadOnlyList<Secret> play = access.Play == AccessMode.Token ? access.PlayTokens : [];
        IReadOnlyList<Secret> publish = access.Publish == AccessMode.Token ? access.PublishTokens : [];
        if ((app?.Publish.Token ?? _settings.Publish.Token) is { IsSet: true } token)
            publish = [.. publish, token];
        _rules[app ?? (object)vhost] = (RuleOf(play), RuleOf(publish));

        AccessRule? RuleOf(IReadOnlyList<Secret> tokens) => tokens.Count > 0 || isTraversed ? new AccessRule(tokens, isTraversed, origins) : null;
    }

    private static List<OriginAddress> OriginsOf(VhostSettings vhost, IReadOnlyList<string> texts)
    {
        var origins = new List<OriginAddress>();
        foreach (var text in texts.SelectMany(static text => text.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (OriginAddress.TryParse(text, out var origin, out _, vhost.Protocol))
                origins.Add(origin);
        }

        return origins;
    }
}
