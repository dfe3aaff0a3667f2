namespace Millrace.Streams.Publishing;

/// <summary>Who publishes, and on what terms.</summary>
/// <param name="SessionId">The session's id in logs.</param>
/// <param name="Protocol">For example <c>rtmp</c>.</param>
/// <param name="Remote">Address and port of the peer.</param>
/// <param name="Duplicate">What happens when the name is live.</param>
/// <param name="GraceMicros">How long the stream waits for the publisher to come back.</param>
internal sealed record PublisherInfo(string SessionId, string Protocol, string Remote, DuplicatePolicy Duplicate, long GraceMicros)
{
    /// <summary>This node has asked another for the stream; else it was brought here.</summary>
    public bool IsFetched { get; init; }

    /// <summary>He may be refused yet: a holder that is silent stays until his first key frame has come.</summary>
    public bool IsOnTrial { get; init; }
}
