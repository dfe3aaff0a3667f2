using System.Diagnostics;

namespace Millrace.EndToEnd.Harness;

/// <summary>Waits for conditions in other processes, which can only be asked.</summary>
internal static class Wait
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan deadline, Func<string> failure)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > deadline)
            {
                throw new TimeoutException($"after {deadline.TotalSeconds:0.#} s: {failure()}");
            }

            await Task.Delay(Step, TestContext.Current.CancellationToken);
        }
    }
}
