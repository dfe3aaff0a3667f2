using Millrace.Streams.Log;

namespace Millrace.Streams.Publishing;

/// <summary>
/// Who may append to a stream: one holder, and at most one challenger who takes over with its first key frame. Belongs to the
/// holder of the stream's lock.
/// </summary>
internal sealed class LeaseSeat
{
    private StreamLease? _challenger;

    public StreamLease? Holder { get; private set; }

    /// <summary>Why the holder's first Era begins.</summary>
    public EraReason StartReason { get; private set; }

    public bool IsEmpty => Holder is null && _challenger is null;

    public bool Has(StreamLease lease) => lease == Holder || lease == _challenger;

    /// <summary>Makes the newcomer holder or challenger; false with the reason where somebody else stays.</summary>
    /// <param name="lease">The newcomer's.</param>
    /// <param name="silence">A holder that has been silent for so long loses, microseconds.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="refusal">The reason.</param>
    public bool TryTake(StreamLease lease, long silence, long now, out string? refusal)
    {
        refusal = null;
        while (!lease.Info.IsOnTrial && IsSilent(silence, now))
        {
            var silent = Holder!;
            Promote();
            Revoke(silent, "silent while another publisher came");
        }

        if (Holder is not null && !IsSilent(silence, now) && lease.Info.Duplicate == DuplicatePolicy.Reject)
        {
            refusal = "the stream is already being published";
            return false;
        }

        if (Holder is null)
        {
            StartReason = EraReason.Reconnect;
            Holder = lease;
            return true;
        }

        RevokeChallenger("another publisher took the stream over");
        _challenger = lease;
        return true;
    }

    public void RevokeChallenger(string reason)
    {
        if (_challenger is not { } challenger)
            return;
        _challenger = null;
        Revoke(challenger, reason);
    }

    /// <summary>A challenger's first key frame has come.</summary>
    public void TakeOver(StreamLease lease)
    {
        if (lease != _challenger)
            return;
        _challenger = null;
        if (Holder is { } holder)
            Revoke(holder, "another publisher took the stream over");
        StartReason = EraReason.Takeover;
        Holder = lease;
    }

    /// <summary>The lease has ended. True when it was the holder's: who waited to take over comes back in its place.</summary>
    public bool Leave(StreamLease lease)
    {
        lease.Dispose();
        if (lease == _challenger)
            _challenger = null;
        if (lease != Holder)
            return false;
        Promote();
        return true;
    }

    private bool IsSilent(long silence, long now) => Holder is { } holder && now - holder.LastArrived >= silence;

    private void Promote()
    {
        StartReason = EraReason.Reconnect;
        Holder = _challenger;
        _challenger = null;
    }

    private static void Revoke(StreamLease lease, string reason)
    {
        lease.Dispose();
        lease.OnRevoked(reason);
    }
}
