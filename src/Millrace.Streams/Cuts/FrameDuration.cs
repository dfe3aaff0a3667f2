using Millrace.Media;
using Millrace.Streams.Log;

namespace Millrace.Streams.Cuts;

/// <summary>How long the frames of a track last, as far as its parameters say; microseconds.</summary>
internal static class FrameDuration
{
    /// <summary>Stands in where they do not: Opus' usual frame.</summary>
    public const long Unknown = 20_000;

    private const long Second = 1_000_000;

    /// <summary>0: the Config does not say.</summary>
    public static long Of(Config? config) =>
        config is { FrameRate: > 0 } ? (long)(Second / config.FrameRate) : config is { SamplesPerFrame: > 0, SampleRate: > 0 } ? Second * config.SamplesPerFrame / config.SampleRate : 0;

    /// <summary>The longest of the audio tracks that do not lead; 0: there are none.</summary>
    public static long LongestSound(Era era)
    {
        var longest = 0L;
        foreach (var track in era.Tracks)
        {
            if (track.Kind == TrackKind.Audio && track != era.Leading)
                longest = Math.Max(longest, Of(track.Config) is > 0 and var frame ? frame : Unknown);
        }

        return longest;
    }
}
