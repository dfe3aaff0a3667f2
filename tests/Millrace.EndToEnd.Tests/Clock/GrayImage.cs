namespace Millrace.EndToEnd.Clock;

/// <summary>A picture of 8-bit luma, row by row, without padding.</summary>
internal sealed class GrayImage(int width, int height, byte[] pixels)
{
    public int Width { get; } = width;

    public int Height { get; } = height;

    /// <summary>The mean luma of the square of 2 × <paramref name="radius"/> + 1 pixels around a point, clipped to the picture.</summary>
    public double Mean(double x, double y, int radius)
    {
        var (centreX, centreY) = ((int)x, (int)y);
        long sum = 0;
        var count = 0;
        for (var row = Math.Max(0, centreY - radius); row <= Math.Min(Height - 1, centreY + radius); row++)
        {
            for (var column = Math.Max(0, centreX - radius); column <= Math.Min(Width - 1, centreX + radius); column++)
            {
                sum += pixels[(row * Width) + column];
                count++;
            }
        }

        return count == 0 ? 0 : (double)sum / count;
    }
}
