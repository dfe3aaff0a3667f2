using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Millrace.Conformance.Crawl;

namespace Millrace.Conformance;

/// <summary>The command line.</summary>
internal sealed record CommandLine(Uri Address)
{
    public const string Usage = "llhls URL [--seconds 180] [--insecure] [--until-end] [--tolerance MILLISECONDS]";

    /// <summary>How long to crawl; 180 s let what leaves a playlist of a minute be asked for until its time is over.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(180);

    public CrawlerOptions Options { get; init; } = new();

    public static bool TryParse(string[] args, [NotNullWhen(true)] out CommandLine? command, [NotNullWhen(false)] out string? error)
    {
        (command, error) = (null, null);
        if (args.Length == 0 || !Uri.TryCreate(args[0], UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            error = "the first argument must be the address of a Multivariant Playlist";
            return false;
        }

        var parsed = new CommandLine(uri);
        for (var i = 1; i < args.Length; i++)
        {
            var hasNumber = double.TryParse(i + 1 < args.Length ? args[i + 1] : "", CultureInfo.InvariantCulture, out var number) && number > 0;
            switch (args[i])
            {
                case "--insecure":
                    parsed = parsed with { Options = parsed.Options with { Insecure = true } };
                    break;
                case "--until-end":
                    parsed = parsed with { Options = parsed.Options with { UntilEnd = true } };
                    break;
                case "--seconds" when hasNumber:
                    parsed = parsed with { Time = TimeSpan.FromSeconds(number) };
                    i++;
                    break;
                case "--tolerance" when hasNumber:
                    parsed = parsed with { Options = parsed.Options with { Tolerance = TimeSpan.FromMilliseconds(number) } };
                    i++;
                    break;
                default:
                    error = $"not understood: {args[i]}";
                    return false;
            }
        }

        command = parsed;
        return true;
    }
}
