using Millrace.Streams;

namespace Millrace.Node.Settings;

/// <summary>First path segments that the node uses itself, so that no app can have them.</summary>
internal static class ReservedNames
{
    public static bool IsReservedApp(string app) => StreamName.IsReservedApp(app);
}
