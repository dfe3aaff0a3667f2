using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Millrace.Streams.Log;

/// <summary>
/// One continuous numbering of time (and, with HLS, of segments). It outlives its publishers: reconnect within the grace
/// and takeover go on with it.
/// </summary>
internal sealed class Timeline(TimelineId id)
{
    private ulong _id = id.Value;

    /// <summary>Random; names of HLS objects are made of it, so that a URL never means two things.</summary>
    public ulong Id => Volatile.Read(ref _id);

    /// <summary>Content keys are made of it.</summary>
    public ReadOnlySpan<byte> Secret => id.Secret;

    /// <summary>Another node goes on with the numbering: what it decides is another Timeline's.</summary>
    public void Rename(ulong next) => Volatile.Write(ref _id, next);

    public Era? Era { get; private set; }

    /// <summary>Media time at which the newest unit ends, microseconds.</summary>
    public long EndMicros { get; private set; }

    /// <summary>Decode time of the newest audio or video unit, microseconds.</summary>
    public long LastDtsMicros { get; private set; }

    /// <summary>Monotonic time at which the newest audio or video unit arrived, microseconds.</summary>
    public long LastArrivedMicros { get; private set; }

    /// <summary>
    /// Where a new stretch begins that arrives at <paramref name="now"/>: behind the last Dts by one frame or by the wall
    /// time that has passed, whichever is more.
    /// </summary>
    public long NextMicros(long now) =>
        Era is null ? 0 : Math.Max(EndMicros, LastDtsMicros + now - LastArrivedMicros);

    /// <summary>The AES-128 key of that number, 16 bytes: whoever has the Timeline's secret has all of its keys.</summary>
    public byte[] ContentKey(long number)
    {
        Span<byte> input = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(input, number);
        return HMACSHA256.HashData(id.Secret, input)[..16];
    }

    public Era OpenEra(Track[] tracks, long startMicros, long epochMicros, EraReason reason)
    {
        Era = new Era((Era?.Number ?? -1) + 1, tracks, startMicros, reason) { EpochMicros = epochMicros };
        return Era;
    }

    /// <summary>Another node has opened it.</summary>
    public void Follow(Era era) => Era = era;

    /// <summary>Notes an audio or video unit. Data do not move the time.</summary>
    public void Advance(long dtsMicros, long endMicros, long arrivedMicros)
    {
        LastDtsMicros = Math.Max(LastDtsMicros, dtsMicros);
        EndMicros = Math.Max(EndMicros, endMicros);
        LastArrivedMicros = arrivedMicros;
    }
}

/// <summary>What a Timeline is known by, on whatever node.</summary>
/// <param name="Value">Random.</param>
/// <param name="Secret">For those who serve it alone, 32 bytes.</param>
internal sealed record TimelineId(ulong Value, byte[] Secret)
{
    public const int SecretBytes = 32;

    /// <summary>One that never was before.</summary>
    public static TimelineId Create() => new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))), RandomNumberGenerator.GetBytes(SecretBytes));
}

internal enum EraReason
{
    Start,
    Reconnect,
    Takeover,
    TimeJump,
    Drift,
    TracksChanged,

    /// <summary>A composition offset came that is more negative than what the Era lifts by.</summary>
    Reorder,
}

/// <summary>A stretch of a Timeline with unbroken time and one fixed track set.</summary>
internal sealed class Era(int number, Track[] tracks, long startMicros, EraReason reason)
{
    private long _epochMicros;

    public int Number { get; } = number;

    public Track[] Tracks { get; } = tracks;

    /// <summary>Media time of its first unit, microseconds.</summary>
    public long StartMicros { get; } = startMicros;

    public EraReason Reason { get; } = reason;

    public bool HasVideo { get; } = Array.Exists(tracks, track => track.Kind == Media.TrackKind.Video);

    /// <summary>
    /// Wall clock (Unix time, microseconds) of media time 0. Slewed by at most 500 ppm; never stepped inside an Era.
    /// </summary>
    public long EpochMicros
    {
        get => Volatile.Read(ref _epochMicros);
        set => Volatile.Write(ref _epochMicros, value);
    }

    /// <summary>The track that viewers join by and HLS cuts by: the first video track, else the first audio track. Asked for with every frame.</summary>
    public Track? Leading { get; } =
        Array.Find(tracks, static track => track.Kind == Media.TrackKind.Video) ?? Array.Find(tracks, static track => track.Kind == Media.TrackKind.Audio);
}
