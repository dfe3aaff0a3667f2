using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Millrace.Fuzz;

/// <summary>Runs one input under the bounds of its target, and keeps what breaks them.</summary>
internal sealed class FuzzHarness(InFlight flight, string folder)
{
    /// <summary>An input may take this many times the longest of: its target's slowest seed, a fixed piece of work.</summary>
    private const int TimeFactor = 40;

    /// <summary>A machine that others use makes any run slow now and then; only what is slow each time is a finding.</summary>
    private const int SlowRetries = 4;

    private long _timeLimit;

    /// <summary>Most managed bytes that one input of the target allocated.</summary>
    public long MostAllocated { get; private set; }

    /// <summary>Longest time that one input of the target took, microseconds.</summary>
    public long LongestMicros { get; private set; }

    /// <summary>Runs the seeds, which must pass, and measures the controls of the time bound.</summary>
    public bool Prepare(FuzzTarget target)
    {
        _timeLimit = long.MaxValue;
        foreach (var seed in target.Seeds)
        {
            if (!Try(target, seed.Bytes) || !Try(target, seed.Bytes))
                return false;
        }

        var slowest = target.Seeds.Max(seed => Measure(target, seed.Bytes));
        _timeLimit = TimeFactor * Math.Max(slowest, MeasureControl());
        (MostAllocated, LongestMicros) = (0, 0);
        return true;
    }

    /// <summary>False when the input is a finding; it has been written and reported then.</summary>
    public bool Try(FuzzTarget target, byte[] input)
    {
        flight.Start(target.Name, input);
        try
        {
            var micros = Measure(target, input, out var allocated);
            MostAllocated = Math.Max(MostAllocated, allocated);
            LongestMicros = Math.Max(LongestMicros, micros);
            var bound = target.AllocatedBase + (target.AllocatedPerByte * input.Length);
            BrokenInvariantException.ThrowIf(allocated > bound, $"{allocated} bytes allocated for {input.Length}, more than {bound}");
            for (var retry = 0; micros > _timeLimit && retry < SlowRetries; retry++)
                micros = Math.Min(micros, Measure(target, input, out _));
            BrokenInvariantException.ThrowIf(micros > _timeLimit, $"{micros} us for {input.Length} bytes, more than {_timeLimit}");
            return true;
        }
#pragma warning disable CA1031 // Whatever a parser throws is what is looked for here.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Report(target, input, e);
            return false;
        }
        finally
        {
            flight.End();
        }
    }

    public int Reproduce(FuzzTarget target, byte[] input)
    {
        if (!Prepare(target) || !Try(target, input))
            return 1;
        Console.WriteLine($"{target.Name}: passes");
        return 0;
    }

    private static long Measure(FuzzTarget target, byte[] input) => Measure(target, input, out _);

    private static long Measure(FuzzTarget target, byte[] input, out long allocated)
    {
        var random = new Random(unchecked((int)Digest.Of(input)));
        var started = Stopwatch.GetTimestamp();
        var before = GC.GetAllocatedBytesForCurrentThread();
        target.Run(input, random);
        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return (long)Stopwatch.GetElapsedTime(started).TotalMicroseconds;
    }

    /// <summary>About a millisecond of work that nobody's change makes slower.</summary>
    private static long MeasureControl()
    {
        var bytes = new byte[1 << 20];
        var best = long.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var started = Stopwatch.GetTimestamp();
            _ = SHA256.HashData(bytes);
            best = Math.Min(best, (long)Stopwatch.GetElapsedTime(started).TotalMicroseconds);
        }

        return best;
    }

    private void Report(FuzzTarget target, byte[] input, Exception e)
    {
        var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{target.Name}-{Digest.Of(input):x8}.bin"));
        File.WriteAllBytes(file, input);
        Console.WriteLine($"{target.Name}: {e}");
        Console.WriteLine($"{input.Length} bytes written; again with: ./dev fuzz --target {target.Name} --input {file}");
    }
}
