using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Media.Flv;
using Millrace.Node.Memory;
using Millrace.Node.Shards;
using Millrace.Streams;
using Millrace.Streams.Buffers;
using Millrace.Streams.Wire;

namespace Millrace.Node.Tests.Shards;

/// <summary>A shard with wire logs that the test writes itself, and viewers with real sockets.</summary>
internal sealed class ShardRig : IDisposable
{
    private readonly List<Socket> _far = [];
    private readonly MappedBlockPool _pool = new();
    private readonly MemoryBudget _budget = new(64 << 20);
    private readonly StreamRegistry _registry;

    public ShardRig()
    {
        _registry = new StreamRegistry(new StreamResources(_pool, _budget, new StreamOptions()));
        Shard = new Shard(0, _registry, NullLogger.Instance);
    }

    public Shard Shard { get; }

    public IReadOnlyList<Socket> FarEnds => _far;

    public RigLog AddLog(string name, long windowMicros)
    {
        var key = WireKey.Flv(FlvForm.Enhanced);
        var wire = new WireLog(key, _pool, _budget[MemoryUse.WireLogs], new WireLimits(10_000, 8 << 20), 60_000);
        var subscription = new WireSubscription(Shard, key, windowMicros);
        subscription.Bind(_registry.Use(new StreamName("default", "live", name), 0, static (stream, _) => stream), wire);
        wire.AddReader(subscription);
        return new RigLog(wire, subscription);
    }

    /// <summary>To be called on the shard's thread, or before it runs.</summary>
    public RigViewer AddViewer(RigLog log, bool isOfCrowd = false, Action? onReadable = null, int? socketBytes = null)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (socketBytes is { } bytes)
            listener.SendBufferSize = far.ReceiveBufferSize = bytes;
        far.Connect(listener.LocalEndPoint!);
        _far.Add(far);
        var near = listener.Accept();
        near.Blocking = false;
        var descriptor = (int)near.Handle;
        // From here on the descriptor is the shard's to close.
        near.SafeHandle.SetHandleAsInvalid();
        var viewer = new RigViewer(new ShardSocket(descriptor, (IPEndPoint)far.LocalEndPoint!, new ConnectionCounts(0, 0)), Shard, _budget[MemoryUse.Spills], isOfCrowd)
        {
            Readable = onReadable,
        };
        Shard.TryAdopt(viewer).ShouldBeTrue();
        viewer.AttachTo(log.Subscription, fromEnd: false, NodeClock.Micros);
        return viewer;
    }

    public void Dispose()
    {
        Shard.BeginStop("the test is over", NodeClock.Micros);
        Shard.Join();
        Shard.Dispose();
        foreach (var socket in _far)
            socket.Dispose();
    }
}

internal sealed record RigLog(WireLog Wire, WireSubscription Subscription)
{
    private static readonly WirePreamble Nothing = new([]);

    /// <summary>Appends one message, as a publisher's thread does inside its stream's lock.</summary>
    public void Append(ReadOnlySpan<byte> message)
    {
        lock (Wire)
        {
            Wire.TryBegin(message.Length, Wire.Index.End, Nothing, keepsEverywhere: false).ShouldBeTrue();
            Wire.Bytes.Append(message);
            Wire.Commit();
        }
    }
}

internal sealed class RigViewer : ShardConnection
{
    public RigViewer(ShardSocket socket, Shard shard, MemoryAccount spills, bool isOfCrowd)
        : base(socket, shard, spills)
    {
        if (isOfCrowd)
            JoinCrowd();
    }

    public Action? Readable { get; init; }

    public List<WireSignal> Heard { get; } = [];

    public void BecomeOneOfMany() => JoinCrowd();

    protected override long WriteTimeoutMicros => 0;

    public override void OnAdopted(long now)
    {
    }

    protected override void OnStarting(long now)
    {
    }

    protected override void OnSignal(WireSignal signal, long now) => Heard.Add(signal);

    protected override void OnReadable(long now)
    {
        BytesIn += Math.Max(0, Receive(Shard.ReceiveBuffer));
        Readable?.Invoke();
    }

    public override void Farewell(string reason, bool mayReturn, long now) => Close(reason);

    protected override void OnTimer(long now)
    {
    }

    protected override void OnClosed(string reason)
    {
    }

    protected override long NextTimer(long now) => long.MaxValue;
}
