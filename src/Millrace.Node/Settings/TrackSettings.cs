namespace Millrace.Node.Settings;

/// <summary>How a stream's tracks are found.</summary>
internal sealed record TrackSettings
{
    /// <summary>
    /// How long after the first key frame the set of tracks is still open; default 300 ms. Metadata that names all tracks
    /// closes it earlier.
    /// </summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// How far audio counted by samples may leave the sender's clock before it is rebased; default 20 ms; 0 follows the
    /// sender's clock, rounding and all. Restreamer-Edge: 1 ms.
    /// </summary>
    public TimeSpan AudioTolerance { get; init; } = TimeSpan.FromMilliseconds(20);
}
