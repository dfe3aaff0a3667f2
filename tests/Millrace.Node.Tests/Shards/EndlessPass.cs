using Millrace.Node.Shards;

namespace Millrace.Node.Tests.Shards;

/// <summary>Each slice takes more than a millisecond.</summary>
internal sealed class EndlessPass : IShardPass
{
    public int Slices { get; private set; }

    public Action? OnSlice { get; set; }

    public bool IsOver { get; set; }

    public bool RunSlice(long now)
    {
        Slices++;
        OnSlice?.Invoke();
        while (!IsOver && NodeClock.Micros - now <= Shard.SliceMicros)
        {
        }

        return IsOver;
    }
}
