using System.Buffers.Binary;
using Millrace.Media;
using Millrace.Media.Codecs;
using Millrace.Streams.Publishing;

namespace Millrace.Streams.Tests.Hls;

/// <summary>
/// A publisher of pictures and sound at any rates, which sends each unit at its time and says whole milliseconds. What it
/// does wrong is set by functions of the ideal time, microseconds since it began.
/// </summary>
internal sealed class MediaSource
{
    private const long Second = 1_000_000;

    private readonly TestStream _stream;
    private readonly long _origin;
    private long _pictures;
    private long _sounds;

    public MediaSource(TestStream stream, PublisherLease lease)
    {
        _stream = stream;
        _origin = stream.Now;
        Lease = lease;
    }

    public static Config Aac48 { get; } = Audio(Codec.Aac, [0x11, 0x90]);

    public static Config Mp3 { get; } = new() { Codec = Codec.Mp3, InitData = default, CodecString = "mp3", SampleRate = 44_100, Channels = 2, SamplesPerFrame = 1_152 };

    /// <summary>FLAC in its usual block size.</summary>
    public static Config Flac { get; } = new()
    {
        Codec = Codec.Flac,
        InitData = new byte[38],
        CodecString = "fLaC",
        SampleRate = 48_000,
        Channels = 2,
        SamplesPerFrame = 4_096,
    };

    public PublisherLease Lease { get; }

    public double FrameRate { get; init; } = 25;

    /// <summary>Pictures in a group; 0: only the first is a key.</summary>
    public int Group { get; set; } = 50;

    /// <summary>Null: no pictures.</summary>
    public Config? Picture { get; init; } = TestStream.H264Config;

    /// <summary>Null: no sound.</summary>
    public Config? Sound { get; init; } = TestStream.AacConfig;

    /// <summary>By how much sound is sent after the picture of its time, microseconds.</summary>
    public long SoundLate { get; set; }

    /// <summary>Pictures that are decoded before ones that are shown earlier.</summary>
    public bool HasReordering { get; init; }

    /// <summary>Whether a picture is a key, by its number; null: by <see cref="Group"/>.</summary>
    public Func<long, bool>? IsKey { get; set; }

    public Func<long, bool> IsPictureLost { get; set; } = static _ => false;

    public Func<long, bool> IsSoundLost { get; set; } = static _ => false;

    /// <summary>What the sender says instead of the ideal time.</summary>
    public Func<long, long> Clock { get; set; } = static time => time;

    /// <summary>Wall time that passes for each microsecond of ideal time.</summary>
    public double Pace { get; init; } = 1;

    /// <summary>Bytes of a picture that is no key.</summary>
    public int PictureBytes { get; set; } = 300;

    /// <summary>Is called with the number of each key frame before it is sent.</summary>
    public Action<long>? OnKey { get; set; }

    /// <summary>Ideal time that has been sent, microseconds.</summary>
    public long Time { get; private set; }

    /// <summary>Tells the server what will come.</summary>
    public void Announce()
    {
        Lease.Promise(Picture is not null, Sound is not null);
        if (Picture is not null)
            Lease.SetConfig(0, Picture);
        if (Sound is not null)
            Lease.SetConfig(0, Sound);
    }

    public void Run(double seconds, Action? onUnit = null)
    {
        Time += (long)(seconds * Second);
        while (true)
        {
            var picture = Picture is null ? long.MaxValue : (long)(_pictures * Second / FrameRate);
            var sound = Sound is null ? long.MaxValue : (_sounds * Second * Sound.SamplesPerFrame / Sound.SampleRate) + SoundLate;
            if (Math.Min(picture, sound) >= Time)
                break;
            _stream.Now = Math.Max(_stream.Now, _origin + (long)(Math.Min(picture, sound) * Pace));
            if (picture <= sound)
                SendPicture(picture);
            else
                SendSound(sound - SoundLate);
            onUnit?.Invoke();
        }

        _stream.Now = Math.Max(_stream.Now, _origin + (long)(Time * Pace));
    }

    private void SendPicture(long time)
    {
        var number = _pictures++;
        var isKey = IsKey?.Invoke(number) ?? (Group == 0 ? number == 0 : number % Group == 0);
        if (IsPictureLost(time))
            return;
        if (isKey)
            OnKey?.Invoke(number);
        var frame = (long)(Second / FrameRate);
        var delay = HasReordering ? (isKey ? 1 : number % 2 == 1 ? 2 : 0) * frame / 1_000 * 1_000 : 0;
        Send(TrackKind.Video, time, delay, isKey, Unit(isKey ? (byte)0x65 : (byte)0x41, number, isKey ? PictureBytes * 4 : PictureBytes));
    }

    private void SendSound(long time)
    {
        var number = _sounds++;
        if (!IsSoundLost(time))
            Send(TrackKind.Audio, time, 0, true, Unit(0x21, number, 120));
    }

    private void Send(TrackKind kind, long time, long cts, bool isKey, byte[] payload) =>
        Lease.Append(kind, 0, Clock(time) / 1_000 * 1_000, cts, isKey, payload, _stream.Now).ShouldBe(AppendResult.Done);

    /// <summary>One NAL unit with its length, and its number in it: no two units are the same.</summary>
    private static byte[] Unit(byte type, long number, int bytes)
    {
        var unit = new byte[Math.Max(16, bytes)];
        unit.AsSpan().Fill(0x9A);
        BinaryPrimitives.WriteInt32BigEndian(unit, unit.Length - sizeof(int));
        unit[4] = type;
        BinaryPrimitives.WriteInt64BigEndian(unit.AsSpan(5), number | (0x55L << 56));
        return unit;
    }

    private static Config Audio(Codec codec, byte[] data)
    {
        ConfigParser.TryParse(codec, data, out var config, out _).ShouldBeTrue();
        return config!;
    }
}
