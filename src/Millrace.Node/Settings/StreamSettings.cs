namespace Millrace.Node.Settings;

/// <summary>
/// How much of a stream is kept. A log always reaches back to its newest key frame, beyond its time limit if need be, but
/// never beyond its limit of bytes.
/// </summary>
internal sealed record StreamSettings
{
    /// <summary>
    /// The longest tail of a stream log; default 10 s: five key intervals of 2 s, what a stalled viewer can catch up without a
    /// jump.
    /// </summary>
    public TimeSpan LogDuration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The most bytes of one stream log; default 64 MB: 10 s at 50 Mbit/s. At least one <see cref="RtmpSettings.MaxMessage"/>.</summary>
    public long LogBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>The longest tail of a wire log, the ready-made bytes of one format of a stream; default 10 s.</summary>
    public TimeSpan WireDuration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The most bytes of one wire log; default 32 MB: 10 s at 25 Mbit/s. At least one <see cref="RtmpSettings.MaxMessage"/>.</summary>
    public long WireBytes { get; init; } = 32L * 1024 * 1024;

    /// <summary>A wire log without viewers is dropped after this; default 10 s; 0 at once. A reload of a page then finds it still there.</summary>
    public TimeSpan WireIdle { get; init; } = TimeSpan.FromSeconds(10);
}
