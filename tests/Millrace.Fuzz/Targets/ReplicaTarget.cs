using System.Buffers;
using System.Buffers.Binary;
using Millrace.Media;
using Millrace.Media.Flv;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Publishing;
using Millrace.Streams.Relay;
using Millrace.Streams.Wire;

namespace Millrace.Fuzz.Targets;

/// <summary>
/// Another node's log all the way to the bytes that viewers and a further node are sent, with both forms of HLS, in little memory. The input is a
/// run of the relay's messages; one of the type of a request stands for a new connection.
/// </summary>
internal sealed class ReplicaTarget : FuzzTarget
{
    private const long Budget = 6 << 20;
    private const long Day = 86_400_000_000;

    private static readonly StreamName Stream = new("default", "live", "fuzz");

    private static readonly WireKey[] Keys = [WireKey.Relay, WireKey.Rtmp(FlvForm.Legacy), WireKey.Flv(FlvForm.Enhanced)];

    private static readonly HlsOptions Hls = new()
    {
        Cuts = new CutRule { SegmentMicros = 1_000_000, PartMicros = 200_000 },
        Segments = 4,
        Ts = new TsOptions { IsEncrypted = true, SegmentsPerKey = 2 },
    };

    private static readonly StreamOptions Options = new()
    {
        LogLimits = new LogLimits(KeepMicros: 4_000_000, KeepBytes: 1024 * 1024),
        WireLimits = new WireLimits(KeepMillis: 4_000, KeepBytes: 1024 * 1024),
        UnixOffsetMicros = 1_700_000_000_000_000,
    };

    private readonly BlockPool _pool = new();

    public ReplicaTarget()
        : base("replica")
    {
        var (first, other) = (Record(tags: 240), Record(tags: 90));
        Seeds = [new Seed(first), new Seed([.. first, .. Again(), .. first]), new Seed([.. first, .. Again(), .. other])];
    }

    public override IReadOnlyList<Seed> Seeds { get; }

    public override int MaxLength => 64 * 1024;

    public override long AllocatedBase => 1 << 20;

    // A segment of playlists costs some eight times its bytes; a Mark begins one in each of the formats, and publishes it.
    public override long AllocatedPerByte => 64;

    public override void Run(byte[] input, Random random)
    {
        var budget = new MemoryBudget(Budget);
        var stream = new LiveStream(Stream, new StreamResources(_pool, budget, Options) { Hls = _ => Hls, Node = "edge" });
        var now = 1_000_000L;
        var lease = stream.TryAcquireReplica(new PublisherInfo("1", "relay", "fuzz", DuplicatePolicy.Reject, 0), _ => { }, _ => { }, now, out _)!;
        var viewers = new WireViewer?[Keys.Length];
        try
        {
            Follow(input, random, stream, lease, viewers, budget, ref now);
            WireViewer.PumpAll(viewers);
        }
        finally
        {
            foreach (var viewer in viewers)
                viewer?.Detach(stream, now);
            lease.Leave(grace: 0, now);
            for (var i = 0; i < 4; i++)
                _ = stream.Sweep(now += Day);
        }

        BrokenInvariantException.ThrowIf(budget.Used != 0, $"{budget.Used} bytes are left of a stream that has ended");
    }

    private static void Follow(byte[] input, Random random, LiveStream stream, ReplicaLease lease, WireViewer?[] viewers, MemoryBudget budget, ref long now)
    {
        lease.Connect(random.Next(400));
        for (var at = 0; RelayFrame.TryReadHeader(input.AsSpan(at), out var type, out var header, out var length) && header > 0;)
        {
            var payload = input.AsSpan(at + header, Math.Min(length, input.Length - at - header));
            at += header + payload.Length;
            now += 5_000;
            var error = RelayRules.IsRequest(type) ? null
                : type == RelayMessageType.Playlists ? lease.ReceivePlaylists(payload, now)
                : RelayRules.IsLog(type) ? lease.Receive(type, payload, now)
                : null;
            // A node closes the connection over an error, and comes back by another.
            if (error is not null || RelayRules.IsRequest(type))
                lease.Connect(random.Next(400));
            BrokenInvariantException.ThrowIf(budget.Used > Budget, $"{budget.Used} bytes in use");
            View(random, stream, viewers, budget, now);
        }
    }

    private static void View(Random random, LiveStream stream, WireViewer?[] viewers, MemoryBudget budget, long now)
    {
        var one = random.Next(viewers.Length * 4);
        if (one < viewers.Length)
            (viewers[one] ??= WireViewer.Attach(stream, Keys[one], budget))?.Pump(random.Next(1, 20_000));
        var format = random.Next(2) == 0 ? HlsFormat.LowLatency : HlsFormat.TransportStream;
        if (stream.UseHls(format, now, out _) is not { } packager)
            return;
        foreach (var view in packager.Snapshot.Renditions)
        {
            foreach (var segment in view.Segments)
                BrokenInvariantException.ThrowIf(!segment.IsSealed, $"segment {segment.Number} is listed and open");
        }
    }

    /// <summary>What an authority says to a node that joins: its log, its playlists, and more of its log.</summary>
    private static byte[] Record(int tags)
    {
        var pool = new BlockPool();
        var budget = new MemoryBudget(64 << 20);
        var authority = new LiveStream(Stream, new StreamResources(pool, budget, Options) { Hls = _ => Hls, Node = "origin" });
        var lease = authority.TryAcquire(new PublisherInfo("1", "rtmp", "seed", DuplicatePolicy.Reject, 0), _ => { }, 1_000_000, out _)!;
        var intake = new FlvIntake(lease);
        var viewer = WireViewer.Attach(authority, WireKey.Relay, budget)!;
        var output = new ArrayBufferWriter<byte>();
        var sent = 0;
        var at = 0;
        foreach (var (type, time, body) in Corpus.FlvClip.Take(tags))
        {
            var now = 1_000_000 + (time * 1_000L);
            var kept = Shorten(type, body);
            _ = type == FlvTagType.Script ? intake.ReceiveData(kept, time * 1_000L, now) : intake.Receive(type == FlvTagType.Audio ? TrackKind.Audio : TrackKind.Video, kept, time * 1_000L, now);
            if (++at == tags / 2)
            {
                output.Write(viewer.TakeAll());
                sent = output.WrittenCount;
                foreach (var format in (HlsFormat[])[HlsFormat.LowLatency, HlsFormat.TransportStream])
                    Write(authority, format, now, output);
            }
        }

        output.Write(viewer.TakeAll().AsSpan(sent));
        viewer.Detach(authority, 2_000_000);
        lease.End(isClean: true, 2_000_000);
        for (var i = 1; i < 4; i++)
            _ = authority.Sweep(i * Day);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Little of each unit: what is mutated is to be the messages.</summary>
    private static byte[] Shorten(FlvTagType type, byte[] body)
    {
        const int Kept = 100;
        const int NalAt = 5;
        if (type != FlvTagType.Video || body.Length <= Kept)
            return body;
        var kept = body[..Kept];
        BinaryPrimitives.WriteInt32BigEndian(kept.AsSpan(NalAt), Kept - NalAt - sizeof(int));
        return kept;
    }

    private static void Write(LiveStream authority, HlsFormat format, long now, ArrayBufferWriter<byte> output)
    {
        var playlists = new ArrayBufferWriter<byte>();
        if (authority.UseHls(format, now, out _) is null || !authority.TryWritePlaylists(format, playlists))
            return;
        RelayWriter.Message(output, RelayMessageType.Playlists, playlists.WrittenSpan);
    }

    private static byte[] Again()
    {
        var output = new ArrayBufferWriter<byte>();
        RelayWriter.Message(output, RelayMessageType.Play, []);
        return output.WrittenSpan.ToArray();
    }
}
