namespace Millrace.EndToEnd.Clock;

/// <summary>Where the picture lies in an image, in pixels of that image.</summary>
internal readonly record struct PictureBox(double X, double Y, double Width, double Height)
{
    public static PictureBox Whole(GrayImage image) => new(0, 0, image.Width, image.Height);
}

/// <summary>Reads the clock out of a picture that may have been scaled and compressed.</summary>
internal static class ClockReader
{
    /// <summary>Luma between a white and a black bar below which the row is taken as covered or absent.</summary>
    private const double MinimumContrast = 60;

    /// <summary>The Unix time in milliseconds in the picture, near to now; null when no valid row is there.</summary>
    public static long? TryRead(GrayImage image, PictureBox box, long nowMillis)
    {
        var bar = box.Width / ClockCode.Bars;
        var radius = (int)Math.Max(0, (bar / 4) - 1);
        Span<double> luma = stackalloc double[ClockCode.Bars];
        for (var i = 0; i < luma.Length; i++)
        {
            luma[i] = image.Mean(box.X + ((i + 0.5) * bar), box.Y + (box.Height * ClockCode.CentreLine), radius);
        }

        var (white, black) = (luma[0], luma[1]);
        if (white - black < MinimumContrast)
        {
            return null;
        }

        Span<bool> bars = stackalloc bool[ClockCode.Bars];
        for (var i = 0; i < bars.Length; i++)
        {
            bars[i] = luma[i] > (white + black) / 2;
        }

        return ClockCode.Decode(bars) is { } value ? ClockCode.Unwrap(value, nowMillis) : null;
    }
}
