namespace Millrace.Media.Amf;

/// <summary>What a reader accepts of one body, whatever its bytes claim.</summary>
internal static class AmfLimits
{
    /// <summary>Nested containers; real metadata uses at most four (keyframes.filepositions).</summary>
    public const int MaxDepth = 32;

    /// <summary>Values in one body. A decoded value costs about 100 bytes, so a hostile body costs at most some 6 MB.</summary>
    public const int MaxValues = 65_536;
}
