namespace Millrace.Node.Sessions;

/// <summary>What a session has moved and lost: a shard's connection, or a Kestrel response.</summary>
internal interface ISessionTraffic
{
    long BytesIn { get; }

    long BytesOut { get; }

    /// <summary>Bytes of the wire log that the viewer has yet to be sent.</summary>
    long LagBytes { get; }

    /// <summary>Times that the viewer was moved to a newer key frame.</summary>
    long Skips { get; }

    /// <summary>Frames that it lost by that.</summary>
    long SkippedMessages { get; }
}
