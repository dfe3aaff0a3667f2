namespace Millrace.Conformance.Playlists;

/// <summary>Decimal numbers as they stand in a playlist (RFC 8216bis §4.2).</summary>
internal static class DecimalText
{
    /// <summary>What one unit of the last digit is worth: a number that was rounded or cut off is less than that from the true one.</summary>
    public static double Place(string number)
    {
        var point = number.IndexOf('.', StringComparison.Ordinal);
        return point < 0 ? 1 : Math.Pow(10, point + 1 - number.Length);
    }
}
