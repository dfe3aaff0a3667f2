using System.Buffers.Binary;
using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Media.Tests;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Log;
using Millrace.Streams.Publishing;
using Millrace.Streams.Wire;

namespace Millrace.Fuzz.Targets;

/// <summary>
/// A publisher's messages all the way to the bytes that viewers of three formats are sent, in little memory. The input is
/// a run of FLV tags: of the type one bit counts, of the length what there is, and the tag's StreamID says how much wall
/// time passes before it.
/// </summary>
internal sealed class IntakeTarget : FuzzTarget
{
    private const long Budget = 3 << 20;

    private static readonly WireKey[] Keys = [WireKey.Rtmp(FlvForm.Legacy), WireKey.Rtmp(FlvForm.Enhanced), WireKey.Flv(FlvForm.Enhanced), WireKey.WsFlv(FlvForm.Legacy)];

    private static readonly StreamOptions Options = new()
    {
        LogLimits = new LogLimits(KeepMicros: 2_000_000, KeepBytes: 512 * 1024),
        WireLimits = new WireLimits(KeepMillis: 1_000, KeepBytes: 256 * 1024),
        RtmpChunkSize = 1_000,
        UnixOffsetMicros = 1_700_000_000_000_000,
    };

    private readonly BlockPool _pool = new();

    public IntakeTarget()
        : base("intake")
    {
        var clip = Corpus.FlvHead[13..];
        var more = new List<byte>();
        uint time = 0;
        void Add(FlvTagType type, params byte[][] bodies)
        {
            foreach (var body in bodies)
                more.AddRange(Tag(type, time += 40, body));
        }

        byte[] key = [.. Hex.Bytes("a168766331 000000"), .. Vectors.Unit(Vectors.HevcVps, Vectors.HevcSps, Vectors.HevcPps, Vectors.HevcIdr)];
        Add(FlvTagType.Video, [0x90, .. "hvc1"u8, .. Vectors.HevcMain], [0x91, .. key.AsSpan(1)], [0xA1, .. key.AsSpan(1)]);
        Add(FlvTagType.Audio, [0x90, .. "Opus"u8, .. Vectors.OpusHead], [0x91, .. "Opus"u8, 0xFC, 1, 2], [0x91, .. "ac-3"u8, .. Vectors.Ac3Stereo], [0x2F, 0xFF, 0xFB, 0x54, 0x00, 1, 2]);
        Add(FlvTagType.Video, [0x90, .. "av01"u8, .. Vectors.Av1Main], [0x91, .. "av01"u8, .. Vectors.Av1KeyUnit], [0x91, .. "vp09"u8, .. Vectors.Vp9Key], [0xA1, .. "vp09"u8, .. Vectors.Vp9Inter]);
        Add(FlvTagType.Video, [0x17, 0, 0, 0, 0, .. Vectors.AvcHigh], [0x17, 1, 0, 0, 0, .. Vectors.Unit(Vectors.AvcSps, Vectors.AvcPps, Vectors.AvcIdr)], [0x27, 1, 0, 0, 40, .. Vectors.Unit(Vectors.AvcSlice)]);
        Add(FlvTagType.Audio, [0xAF, 0, .. Vectors.AacLc48Stereo], [0xAF, 1, 0x21, 0x10], [0xAF, 1, 0x21, 0x11]);
        Seeds = [new Seed(clip[..8_000]), new Seed([.. more]), new Seed([.. more, .. clip[..3_000], .. more])];
    }

    public override IReadOnlyList<Seed> Seeds { get; }

    public override int MaxLength => 32 * 1024;

    public override long AllocatedBase => 4 << 20;

    // A key frame of a few bytes can begin an Era: its tracks, and a preamble in each of the formats.
    public override long AllocatedPerByte => 4 * 1024;

    public override void Run(byte[] input, Random random)
    {
        var budget = new MemoryBudget(Budget);
        var stream = new LiveStream(new StreamName("default", "live", "fuzz"), new StreamResources(_pool, budget, Options));
        long now = 1_000_000;
        var lease = stream.TryAcquire(new PublisherInfo("1", "rtmp", "fuzz", DuplicatePolicy.Reject, 0), _ => { }, now, out _)!;
        var viewers = Array.ConvertAll(Keys, key => WireViewer.Attach(stream, key, budget));
        try
        {
            Publish(input, random, lease, viewers, budget, ref now);
            WireViewer.PumpAll(viewers);
        }
        finally
        {
            foreach (var viewer in viewers)
                viewer?.Detach(stream, now);
            lease.End(isClean: true, now);
            _ = stream.Sweep(now + 1);
        }

        BrokenInvariantException.ThrowIf(!stream.Sweep(now + 1) || budget.Used != 0, $"{budget.Used} bytes are left of a stream that has ended");
    }

    private static void Publish(byte[] input, Random random, PublisherLease lease, WireViewer?[] viewers, MemoryBudget budget, ref long now)
    {
        var intake = new FlvIntake(lease);
        var clock = new TimestampUnwrapper(32);
        for (var at = 0; at + FlvTagHeader.Length <= input.Length;)
        {
            var head = input.AsSpan(at, FlvTagHeader.Length);
            var length = Math.Min((head[1] << 16) | (head[2] << 8) | head[3], input.Length - at - FlvTagHeader.Length);
            var timestamp = (uint)((head[4] << 16) | (head[5] << 8) | head[6] | (head[7] << 24));
            var body = input.AsSpan(at + FlvTagHeader.Length, length).ToArray();
            at += FlvTagHeader.Length + length + FlvTagHeader.TrailerLength;
            now += 20_000 + (BinaryPrimitives.ReadUInt16BigEndian(head[9..]) * 1_000L);
            var sender = clock.Unwrap(timestamp) * 1_000;
            var error = (head[0] & 0x1F) switch
            {
                (byte)FlvTagType.Script => intake.ReceiveData(body, sender, now),
                var type when (type & 1) == 0 => intake.Receive(TrackKind.Audio, body, sender, now),
                _ => intake.Receive(TrackKind.Video, body, sender, now),
            };
            BrokenInvariantException.ThrowIf(budget.Used > Budget, $"{budget.Used} bytes in use");
            if (error is not null)
                return;
            if (random.Next(3) == 0)
                viewers[random.Next(viewers.Length)]?.Pump(random.Next(1, 20_000));
        }
    }

    private static byte[] Tag(FlvTagType type, uint time, byte[] body)
    {
        var tag = new byte[FlvTagHeader.Length + body.Length + FlvTagHeader.TrailerLength];
        FlvTagHeader.Write(tag, type, body.Length, time);
        body.CopyTo(tag, FlvTagHeader.Length);
        return tag;
    }
}
