namespace Millrace.Configuration;

/// <summary>Where a value was written: a line of a file, a variable of the environment, or nowhere (a default).</summary>
/// <param name="Source">File name as the user gave it, variable name, or <c>preset NAME</c>.</param>
/// <param name="Line">From 1; 0 where there are no lines.</param>
internal readonly record struct Origin(string Source, int Line)
{
    public static Origin Default => new("default", 0);

    public override string ToString() => Line > 0 ? FormattableString.Invariant($"{Source}:{Line}") : Source;
}

/// <summary>A piece of configuration before anything is known about its meaning.</summary>
internal abstract record ConfigNode(Origin Origin);

/// <summary>A single value; <paramref name="Text"/> is null where the file has nothing (or a plain <c>null</c>).</summary>
internal sealed record ScalarNode(string? Text, Origin Origin) : ConfigNode(Origin)
{
    /// <summary>Where a list is wanted, commas part its elements: variables can say it in no other way.</summary>
    public bool IsCommaList { get; init; }
}

internal sealed record ListNode(IReadOnlyList<ConfigNode> Items, Origin Origin) : ConfigNode(Origin);

internal sealed record MapNode(IReadOnlyList<MapEntry> Entries, Origin Origin) : ConfigNode(Origin)
{
    /// <summary>From the environment: where a list is wanted, the keys are indexes into the list beneath.</summary>
    public bool IsIndexed { get; init; }
}

internal readonly record struct MapEntry(string Key, Origin KeyOrigin, ConfigNode Value);
