using System.Globalization;
using System.Text;

namespace Millrace.Media;

/// <summary>What peers have said, for people.</summary>
internal static class PlainText
{
    /// <summary>A text made fit for a log line: no control characters, nothing that turns the direction of writing, at most <paramref name="limit"/> characters.</summary>
    public static string Clean(string text, int limit = 120)
    {
        if (text.Length <= limit && !text.Any(IsUnfit))
            return text;
        var clean = new StringBuilder(Math.Min(text.Length, limit));
        foreach (var c in text)
        {
            if (clean.Length == limit)
                break;
            clean.Append(IsUnfit(c) ? '?' : c);
        }

        return clean.ToString();
    }

    private static bool IsUnfit(char c) => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
