using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.EndToEnd.Cdn;

/// <summary>What an LL-HLS media playlist says that a player goes by.</summary>
internal sealed partial class LivePlaylist
{
    public LivePlaylist(string text)
    {
        Parts = [.. PartLines().Matches(text).Select(static match => (match.Groups[2].Value, Number(match.Groups[1].Value)))];
        HoldBack = Number(HoldBackValue().Match(text).Groups[1].Value);
        Hint = HintLine().Match(text).Groups[1].Value;
        Init = InitLine().Match(text).Groups[1].Value;
        Segments = [.. text.Split('\n').Where(static line => line.StartsWith("seg_", StringComparison.Ordinal))];
        var words = Hint.Split('_');
        (NextSegment, NextPart) = (words[2], words[3]);
    }

    /// <summary>Listed parts with their durations in seconds.</summary>
    public IReadOnlyList<(string Uri, double Duration)> Parts { get; }

    /// <summary>PART-HOLD-BACK, seconds.</summary>
    public double HoldBack { get; }

    /// <summary>The part that comes next: part_RENDITION_SEGMENT_PART_kind_KEY_llhls.m4s.</summary>
    public string Hint { get; }

    public string NextSegment { get; }

    public string NextPart { get; }

    public string Init { get; }

    /// <summary>Whole ones.</summary>
    public IReadOnlyList<string> Segments { get; }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex("#EXT-X-PART:DURATION=([0-9.]+),URI=\"([^\"]+)\"")]
    private static partial Regex PartLines();

    [GeneratedRegex("PART-HOLD-BACK=([0-9.]+)")]
    private static partial Regex HoldBackValue();

    [GeneratedRegex("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"([^\"]+)\"")]
    private static partial Regex HintLine();

    [GeneratedRegex("#EXT-X-MAP:URI=\"([^\"]+)\"")]
    private static partial Regex InitLine();
}
