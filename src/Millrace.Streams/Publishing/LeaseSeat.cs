using Millrace.Streams.Log;

namespace Millrace.Streams.Publishing;

/// <summary>
/// Who may append to a stream: one holder, and at most one challenger who takes over with its first key frame. Belongs to the
/// holder of the stream's lock.
/// </summary>
internal sealed class LeaseSeat
{
    private PublisherLease? _challenger;

    public PublisherLease? Holder { get; private set; }

    /// <summary>Why the holder's first Era begins.</summary>
    public EraReason StartReason { get; private set; }

    public bool IsEmpty => Holder is null && _challenger is null;

    public bool Has(PublisherLease lease) => lease == Holder || lease == _challenger;

    /// <summary>Makes the newcomer holder or challenger; null with the reason where somebody else stays.</summary>
    public PublisherLease? TryTake(LiveStream stream, PublisherInfo info, Action<string> onRevoked, long now, out string? refusal)
    {
        refusal = null;
        while (Holder is { } silent && now - silent.LastArrived >= stream.Resources.Options.SilentHolderMicros)
        {
            Promote();
            Revoke(silent, "silent while another publisher came");
        }

        if (Holder is not null && info.Duplicate == DuplicatePolicy.Reject)
        {
            refusal = "the stream is already being published";
            return null;
        }

        var lease = new PublisherLease(stream, info, onRevoked, now);
        if (Holder is null)
        {
            StartReason = EraReason.Reconnect;
            Holder = lease;
            return lease;
        }

        RevokeChallenger("another publisher took the stream over");
        _challenger = lease;
        return lease;
    }

    public void RevokeChallenger(string reason)
    {
        if (_challenger is not { } challenger)
            return;
        _challenger = null;
        Revoke(challenger, reason);
    }

    /// <summary>A challenger's first key frame has come.</summary>
    public void TakeOver(PublisherLease lease)
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
    public bool Leave(PublisherLease lease)
    {
        lease.Dispose();
        if (lease == _challenger)
            _challenger = null;
        if (lease != Holder)
            return false;
        Promote();
        return true;
    }

    private void Promote()
    {
        StartReason = EraReason.Reconnect;
        Holder = _challenger;
        _challenger = null;
    }

    private static void Revoke(PublisherLease lease, string reason)
    {
        lease.Dispose();
        lease.OnRevoked(reason);
    }
}
