namespace Millrace.Node.Shards;

/// <summary>Sends to many connections of one shard, done in slices so that input and timers get their turn in between.</summary>
internal interface IShardPass
{
    /// <summary>Serves some connections, for a few milliseconds at most. True when nothing is left to do.</summary>
    bool RunSlice(long now);
}
