using Millrace.Node.Tests.Harness;

namespace Millrace.Node.Tests.Hls;

/// <summary>
/// Requests that the node holds before the test goes on. Whatever the test sends from then on is new to them: an answer
/// that has this in it was held until it came.
/// </summary>
internal static class HlsHolding
{
    /// <summary>Asks, and returns the answer that is to come once the node holds the request.</summary>
    public static async Task<Task<T>> Resolved<T>(this HlsNode hls, Func<Task<T>> ask)
    {
        Task<T>? answer = null;
        await hls.ResolvedAfter(() => answer = ask());
        return answer!;
    }

    /// <summary>The same for a request of which no answer is awaited.</summary>
    public static async Task ResolvedAfter(this HlsNode hls, Action ask)
    {
        var before = hls.Waiting;
        ask();
        // Counted when its answer has been looked for and is not there.
        await hls.UntilWaiting(before + 1);
    }

    public static Task UntilWaiting(this HlsNode hls, int count) => Wait.Until(() => hls.Waiting == count, $"{count} requests wait");
}
