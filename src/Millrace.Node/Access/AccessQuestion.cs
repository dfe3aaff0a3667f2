using Millrace.Node.Hls;

namespace Millrace.Node.Access;

/// <summary>What an origin is being asked, once for all who wait for the same answer. Any thread.</summary>
internal sealed class AccessQuestion : Completion
{
    private AccessVerdict? _verdict;

    /// <param name="key">Of the claim.</param>
    /// <param name="claim">Of the first who waits.</param>
    /// <param name="path">The nodes below that he asks by.</param>
    public AccessQuestion(AccessKey key, AccessClaim claim, IReadOnlyList<string> path)
    {
        (Key, Claim, Path) = (key, claim, path);
    }

    public AccessKey Key { get; }

    public AccessClaim Claim { get; }

    public IReadOnlyList<string> Path { get; }

    /// <summary>Null while it is being asked.</summary>
    public AccessVerdict? Verdict => Volatile.Read(ref _verdict);

    internal void Settle(AccessVerdict verdict)
    {
        Volatile.Write(ref _verdict, verdict);
        Complete();
    }
}
