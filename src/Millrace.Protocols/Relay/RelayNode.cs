using System.Buffers;

namespace Millrace.Protocols.Relay;

/// <summary>Ids of nodes, and the paths that they make.</summary>
internal static class RelayNode
{
    /// <summary>Longest id, characters.</summary>
    public const int MaxLength = 64;

    /// <summary>Most nodes below the one that connects.</summary>
    public const int MaxPath = 16;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    /// <summary>1 to <see cref="MaxLength"/> visible ASCII characters: an id goes into logs and metrics as it is.</summary>
    public static bool IsValid(string node) => node.Length is > 0 and <= MaxLength && !node.AsSpan().ContainsAnyExcept(Allowed);
}
