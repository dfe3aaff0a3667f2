using Millrace.Protocols.Relay;

namespace Millrace.Node.Relay;

/// <summary>What a viewer is told of another node's refusal.</summary>
internal static class RelayStatus
{
    /// <summary>HTTP status: who is not let in is told so, for all else that is wrong between nodes the viewer is not to blame.</summary>
    public static int Of(RelayRefusal refusal) => refusal.Code switch
    {
        RelayRefusalCode.NotFound => 404,
        RelayRefusalCode.Denied => 403,
        RelayRefusalCode.Unavailable => 503,
        _ => 502,
    };
}
