using System.Buffers;

namespace Millrace.Protocols.Relay;

/// <summary>What <see cref="RelayMessageType.Accepted"/> says to a <see cref="RelayMessageType.Play"/>: <c>head isOrphan(1 byte) above</c>.</summary>
/// <param name="Head">Where the log reaches: entries below that number are older than what viewers begin with.</param>
/// <param name="IsOrphan">As <see cref="RelayMessageType.Orphaned"/> says.</param>
/// <param name="Above">As <see cref="RelayMessageType.Above"/> says.</param>
internal readonly record struct RelayGrant(long Head, bool IsOrphan, IReadOnlyList<string> Above)
{
    public void Write(IBufferWriter<byte> target)
    {
        var output = new RelayWriter(target);
        output.Number((ulong)Head);
        output.Flag(IsOrphan);
        RelayNode.WriteAbove(output, Above);
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out RelayGrant grant)
    {
        var input = new RelayReader(payload);
        grant = default;
        if (!input.TryNumber(long.MaxValue, out long head) || !input.TryFlag(out var isOrphan))
            return false;
        IReadOnlyList<string>? above = [];
        if (!input.Rest.IsEmpty && !RelayNode.TryReadAbove(input.Rest, out above))
            return false;
        grant = new RelayGrant(head, isOrphan, above);
        return true;
    }
}
