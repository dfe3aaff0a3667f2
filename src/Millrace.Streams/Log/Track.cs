using Millrace.Media;

namespace Millrace.Streams.Log;

/// <summary>
/// One elementary stream of an Era. Identity, kind, codec and timescale never change; parameters come as numbered
/// <see cref="Config"/>s, of which an access unit names the one it needs.
/// </summary>
internal sealed class Track(int id, int sourceId, byte wireId, Codec codec, int timescale)
{
    /// <summary>Different Configs of one track; a sender that brings more gets a new Era, so that what was kept of them goes.</summary>
    public const int MaxConfigs = 64;

    private Config[] _configs = [];
    private Config? _config;

    /// <summary>Position in the Era's track list, from 0.</summary>
    public int Id { get; } = id;

    /// <summary>The sender's own number: the Enhanced RTMP track id.</summary>
    public int SourceId { get; } = sourceId;

    /// <summary>Number among the Era's tracks of its kind, from 0: the track id that RTMP and FLV players see.</summary>
    public byte WireId { get; } = wireId;

    public Codec Codec { get; } = codec;

    public TrackKind Kind => CodecInfo.KindOf(Codec);

    /// <summary>Ticks a second of <see cref="LogEntry.Dts"/>: video 90,000, audio its sample rate, data 1,000.</summary>
    public int Timescale { get; } = timescale;

    public string? Language { get; init; }

    public string? Label { get; init; }

    /// <summary>Set once a unit came whose Pts differs from its Dts: the stream has B-frames.</summary>
    public bool Reorder { get; set; }

    public TrackStats Stats { get; } = new();

    public ReadOnlySpan<Config> Configs => Volatile.Read(ref _configs);

    /// <summary>The one in force.</summary>
    public Config? Config => Volatile.Read(ref _config);

    /// <summary>Puts a Config in force and returns its number; one that was there before keeps the number that it had.</summary>
    public int AddConfig(Config config)
    {
        var number = Array.FindIndex(_configs, config.Equals);
        if (number < 0)
        {
            number = _configs.Length;
            Volatile.Write(ref _configs, [.. _configs, config]);
        }

        Volatile.Write(ref _config, _configs[number]);
        return number;
    }
}

/// <summary>Running figures of a track. Written by the appending thread; read by the API, where a torn set of values does no harm.</summary>
internal sealed class TrackStats
{
    private const long WindowMicros = 2_000_000;

    private long _windowStart = long.MinValue;
    private long _windowBytes;
    private long _windowUnits;
    private long _lastKeyDtsMicros = long.MinValue;

    public long Units { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Bits a second over the last full window of 2 s.</summary>
    public double Bitrate { get; private set; }

    /// <summary>Units a second over the last full window of 2 s.</summary>
    public double Rate { get; private set; }

    /// <summary>Media time between the last two key frames, microseconds; 0 before the second.</summary>
    public long KeyIntervalMicros { get; private set; }

    public void Add(int bytes, bool isKey, long dtsMicros, long nowMicros)
    {
        Units++;
        Bytes += bytes;
        if (isKey)
        {
            if (_lastKeyDtsMicros != long.MinValue)
                KeyIntervalMicros = dtsMicros - _lastKeyDtsMicros;
            _lastKeyDtsMicros = dtsMicros;
        }

        var elapsed = nowMicros - _windowStart;
        if (_windowStart == long.MinValue || elapsed >= WindowMicros)
        {
            if (_windowStart != long.MinValue)
            {
                Bitrate = _windowBytes * 8e6 / elapsed;
                Rate = _windowUnits * 1e6 / elapsed;
            }

            (_windowStart, _windowBytes, _windowUnits) = (nowMicros, 0, 0);
        }

        _windowBytes += bytes;
        _windowUnits++;
    }
}
