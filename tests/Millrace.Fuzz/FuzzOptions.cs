using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Millrace.Fuzz;

/// <summary>The command line.</summary>
internal sealed record FuzzOptions
{
    /// <summary>Time for all targets together, seconds; the default is what CI gives.</summary>
    public double Seconds { get; init; } = 30;

    /// <summary>Only targets whose name begins so; all when empty.</summary>
    public string Target { get; init; } = "";

    /// <summary>Everything that is random follows from it and from the number of the run.</summary>
    public int Seed { get; init; } = Environment.TickCount & int.MaxValue;

    /// <summary>Runs this one file instead of mutations: how a finding is reproduced.</summary>
    public string Input { get; init; } = "";

    /// <summary>Where findings are written.</summary>
    public string Folder { get; init; } = Path.Combine("out", "fuzz");

    public static bool TryParse(string[] args, [NotNullWhen(true)] out FuzzOptions? options, [NotNullWhen(false)] out string? error)
    {
        options = new FuzzOptions();
        error = null;
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var next = Apply(options, args[i], value);
            if (next is null)
            {
                (options, error) = (null, $"not understood: {args[i]} {value}");
                return false;
            }

            options = next;
        }

        return true;
    }

    private static FuzzOptions? Apply(FuzzOptions options, string name, string value) => name switch
    {
        "--seconds" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds > 0 => options with { Seconds = seconds },
        "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out var seed) => options with { Seed = seed },
        "--target" when value.Length > 0 => options with { Target = value },
        "--input" when File.Exists(value) => options with { Input = value },
        _ => null,
    };
}
