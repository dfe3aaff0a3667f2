namespace Millrace.Node.Shards;

/// <summary>What a protocol's session answers: it writes into the shard's one reply buffer, which is empty again before others write there.</summary>
internal abstract unsafe partial class ShardConnection
{
    /// <summary>Sends what the session has written into the shard's reply buffer.</summary>
    public void SendReply(long now)
    {
        var isQueued = TryQueueControl(Shard.Reply.WrittenSpan);
        // Empty before anything goes out: the first media may be what goes, and its announcement is written there too.
        Shard.Reply.ResetWrittenCount();
        if (isQueued)
            Pump(now);
    }

    /// <summary>Puts what the session has written in front of the bytes that are about to be sent.</summary>
    public void QueueReply()
    {
        var reply = Shard.Reply;
        if (!Cursor.TryInsert(reply.WrittenSpan))
            Close("the media memory budget is used up");
        reply.ResetWrittenCount();
    }

    /// <summary>Ends the connection when the peer has been told.</summary>
    public void EndAfterReply(string reason, long now)
    {
        Leave();
        SendReply(now);
        EndAfterSent(reason, now);
    }
}
