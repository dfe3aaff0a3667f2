using System.Runtime.InteropServices;

namespace Millrace.Media.Mp4;

/// <summary>One coded picture or audio frame of a fragment. Times are in ticks of the track's timescale.</summary>
[StructLayout(LayoutKind.Auto)]
public struct Sample
{
    /// <summary>Bytes of the payload.</summary>
    public int Length;

    /// <summary>Decoding time. A reader adds up durations, so each sample's is the one before plus its <see cref="Duration"/>.</summary>
    public long Dts;

    /// <summary>Presentation time, not before <see cref="Dts"/>.</summary>
    public long Pts;

    public int Duration;

    /// <summary>Decoding can start here. Of audio every sample counts as one, whatever this says.</summary>
    public bool IsKey;
}
