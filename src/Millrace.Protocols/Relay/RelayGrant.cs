namespace Millrace.Protocols.Relay;

/// <summary>What <see cref="RelayMessageType.Accepted"/> says to a <see cref="RelayMessageType.Play"/>: <c>head isOrphan(1 byte)</c>.</summary>
/// <param name="Head">Where the log reaches: entries below that number are older than what viewers begin with.</param>
/// <param name="IsOrphan">As <see cref="RelayMessageType.Orphaned"/> says.</param>
internal readonly record struct RelayGrant(long Head, bool IsOrphan)
{
    /// <summary>Longest, bytes.</summary>
    public const int MaxBytes = RelayWriter.MaxVarint + 1;

    public int Write(Span<byte> target)
    {
        var length = RelayWriter.Write(target, (ulong)Head);
        target[length] = IsOrphan ? (byte)1 : (byte)0;
        return length + 1;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out RelayGrant grant)
    {
        var input = new RelayReader(payload);
        grant = default;
        if (!input.TryNumber(long.MaxValue, out long head) || !input.TryFlag(out var isOrphan))
            return false;
        grant = new RelayGrant(head, isOrphan);
        return true;
    }
}
