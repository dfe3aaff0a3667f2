using System.Diagnostics;

namespace Millrace.Node.Tests.Harness;

/// <summary>Waits for conditions; a test never waits for a time.</summary>
internal static class Wait
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    public static Task Until(Func<bool> condition, string what) => Until(() => Task.FromResult(condition()), what);

    public static async Task Until(Func<Task<bool>> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > Deadline)
                throw new TimeoutException($"not within {Deadline.TotalSeconds} s: {what}");
            await Task.Delay(2);
        }
    }

    public static async Task<T> For<T>(Func<T?> find, string what)
        where T : class
    {
        T? found = null;
        await Until(() => (found = find()) is not null, what);
        return found!;
    }
}
