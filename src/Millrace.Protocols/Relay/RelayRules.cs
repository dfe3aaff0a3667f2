namespace Millrace.Protocols.Relay;

/// <summary>What holds for messages by their type alone.</summary>
internal static class RelayRules
{
    /// <summary>Longest message of a peer that has proved nothing yet: a Hello with its whole path, a refusal with a URL.</summary>
    public const int MaxSetup = 4 << 10;

    /// <summary>Longest message that steers.</summary>
    public const int MaxControl = 64 << 10;

    /// <summary>Longest message that describes a stream and its Configs.</summary>
    public const int MaxState = 4 << 20;

    /// <summary>Longest piece of an object, its id included.</summary>
    public const int MaxObjectData = 1 << 20;

    /// <summary>Longest object that a peer may announce.</summary>
    public const long MaxObject = 1L << 32;

    /// <summary>
    /// Whoever sends media need not be woken for less between two messages: of all that a receiver of media says empty heartbeats alone are shorter,
    /// and so are those between two that measure clocks together, but for what the end of the connection comes behind.
    /// </summary>
    public const int WakeBytes = 64;

    public static bool IsLog(RelayMessageType type) => type is >= RelayMessageType.Start and <= RelayMessageType.Above;

    public static bool IsKnown(RelayMessageType type) => type is > RelayMessageType.None and <= RelayMessageType.Verdict || IsLog(type);

    public static bool IsSetup(RelayMessageType type) =>
        type is RelayMessageType.Hello or RelayMessageType.Welcome or RelayMessageType.Proof or RelayMessageType.Refused;

    public static bool IsRequest(RelayMessageType type) => type is >= RelayMessageType.Describe and <= RelayMessageType.Authorize;

    /// <summary>Longest payload, bytes.</summary>
    public static int Limit(RelayMessageType type) => type switch
    {
        // Playlists: some 9,000 segments of ten parts.
        RelayMessageType.Unit or RelayMessageType.Playlists => RelayFrame.MaxPayload,
        RelayMessageType.ObjectData => MaxObjectData,
        RelayMessageType.Accepted => MaxState,
        RelayMessageType.Start or RelayMessageType.Era or RelayMessageType.Config or RelayMessageType.Metadata => MaxState,
        _ when IsSetup(type) => MaxSetup,
        _ when IsKnown(type) => MaxControl,

        // Skipped, not kept.
        _ => RelayFrame.MaxPayload,
    };
}
