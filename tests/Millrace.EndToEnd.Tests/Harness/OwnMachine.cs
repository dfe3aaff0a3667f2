using System.Diagnostics;
using System.Globalization;

namespace Millrace.EndToEnd.Harness;

/// <summary>
/// Real time is judged by a machine that is its own: where its processors were given to others meanwhile, what failed is measured again, twice at most, and the run says so. A
/// failure beside which nothing was taken is one.
/// </summary>
internal sealed class OwnMachine : IDisposable
{
    private const int Attempts = 3;

    /// <summary>Of all processors, within a second: as much as an encoder takes, or the drawing of a page.</summary>
    private const double AllowedShare = 0.2;

    /// <summary>USER_HZ, in which the kernel tells times.</summary>
    private const double TicksPerSecond = 100;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _watching;
    private double _mostTaken;

    private OwnMachine()
    {
        _watching = new Thread(Watch) { IsBackground = true, Name = "own machine" };
        _watching.Start();
    }

    private bool WasTaken => Volatile.Read(ref _mostTaken) > AllowedShare;

    /// <param name="measure">From its beginning, with servers and pages of its own.</param>
    public static async Task JudgeAsync(Func<Task> measure)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var machine = new OwnMachine();
            try
            {
                await measure();
                return;
            }
            catch (Exception e) when (attempt < Attempts && machine.WasTaken && !TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                TestContext.Current.AddWarning(string.Create(CultureInfo.InvariantCulture, $"Measured again: others had {machine._mostTaken:P0} of the processors in a second. {e.Message}"));
            }
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _watching.Join();
        _stop.Dispose();
    }

    private void Watch()
    {
        var (before, beforeAt) = (ReadTimes(), Stopwatch.GetTimestamp());
        while (!_stop.Token.WaitHandle.WaitOne(Window))
        {
            var (now, at) = (ReadTimes(), Stopwatch.GetTimestamp());
            var (own, all) = (now.All - before.All - (now.Stolen - before.Stolen), now.All - before.All);
            // Time in which the whole machine stood still is in no number.
            var due = Math.Max(all, Stopwatch.GetElapsedTime(beforeAt, at).TotalSeconds * TicksPerSecond * Environment.ProcessorCount);
            Volatile.Write(ref _mostTaken, Math.Max(_mostTaken, 1 - (own / due)));
            (before, beforeAt) = (now, at);
        }
    }

    /// <summary>proc_stat(5): of all processors together, the eighth number is the time in which a hypervisor ran others instead.</summary>
    private static (long Stolen, long All) ReadTimes()
    {
        var times = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8)
            .Select(static time => long.Parse(time, CultureInfo.InvariantCulture)).ToArray();
        return (times[7], times.Sum());
    }
}
