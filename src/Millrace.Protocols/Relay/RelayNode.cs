using System.Buffers;
using System.Diagnostics.CodeAnalysis;

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

    /// <summary>Writes what <see cref="RelayMessageType.Above"/> says; of more than <see cref="MaxPath"/> the nearest.</summary>
    public static void WriteAbove(RelayWriter output, IReadOnlyList<string> above)
    {
        var count = Math.Min(above.Count, MaxPath);
        output.Number((ulong)count);
        for (var i = 0; i < count; i++)
            output.Text(above[i]);
    }

    public static bool TryReadAbove(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out IReadOnlyList<string>? above)
    {
        var input = new RelayReader(payload);
        above = null;
        if (!input.TryNumber(MaxPath, out int count))
            return false;
        var nodes = new string[count];
        for (var i = 0; i < count; i++)
        {
            if (!input.TryText(MaxLength, out var node) || !IsValid(node))
                return false;
            nodes[i] = node;
        }

        above = nodes;
        return true;
    }
}
