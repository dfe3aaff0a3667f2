using System.Buffers;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Publishing;
using Millrace.Streams.Wire;

namespace Millrace.Streams.Tests.Relay;

/// <summary>A node that copies another's stream: the relay's bytes without the connection. Its clock shows another time.</summary>
internal sealed class RelayEdge : IDisposable
{
    private readonly long _ahead;
    private readonly bool _isPublished;
    private TestStream _upstream;
    private readonly List<HlsFormat> _wanted = [];
    private readonly List<byte> _rest = [];
    private WireViewer? _viewer;
    private int _read;

    /// <param name="upstream">Whose copy it is.</param>
    /// <param name="node">Its own name.</param>
    /// <param name="hls">Its own settings.</param>
    /// <param name="before">Who is here before anything comes; then the stream is published to this node, which does not know how much comes at once.</param>
    /// <param name="limits">Of its log.</param>
    public RelayEdge(TestStream upstream, string node = "edge", HlsOptions? hls = null, Action<TestStream>? before = null, LogLimits? limits = null)
    {
        _isPublished = before is not null;
        _upstream = upstream;
        _ahead = 5_000_000_000;
        var options = new StreamOptions { UnixOffsetMicros = 1_700_000_777_000_000 };
        Stream = new TestStream(limits is { } own ? options with { LogLimits = own } : options, hls: hls ?? new HlsOptions { Segments = 3, IdleMicros = 3_600_000_000 }, node: node) { Now = upstream.Now + _ahead };
        var info = new PublisherInfo("r", "relay", "upstream", DuplicatePolicy.Reject, 10_000_000);
        Lease = Stream.Live.TryAcquireReplica(info, _wanted.Add, _ => { }, Stream.Now, out var refusal)!;
        refusal.ShouldBeNull();
        before?.Invoke(Stream);
        Connect();
    }

    public TestStream Stream { get; }

    public LiveStream Live => Stream.Live;

    public ReplicaLease Lease { get; }

    /// <summary>Messages that have come, the newest last.</summary>
    public List<RelayMessageType> Types { get; } = [];

    /// <summary>Connects again; what the node has is gone on from.</summary>
    /// <param name="upstream">Another node; null: the same.</param>
    /// <param name="head">Where that says its log reaches; null: where it does.</param>
    public void Connect(TestStream? upstream = null, long? head = null)
    {
        _upstream = upstream ?? _upstream;
        _viewer?.Dispose();
        _rest.Clear();
        _read = 0;
        _viewer = new WireViewer(_upstream, WireKey.Relay);
        Lease.Connect(head ?? (_isPublished ? 0 : _upstream.Live.Log?.End ?? 0));
        Follow();
    }

    /// <summary>Takes all that there is, and asks for the playlists that are needed.</summary>
    public void Follow()
    {
        Stream.Now = Math.Max(Stream.Now, _upstream.Now + _ahead);
        Pull();
        while (_wanted.Count > 0)
        {
            var format = _wanted[0];
            _wanted.RemoveAt(0);
            if (_upstream.Live.UseHls(format, _upstream.Now, out _) is not { } packager)
                continue;
            var output = new ArrayBufferWriter<byte>();
            Millrace.Streams.Relay.RelayPlaylists.Write(output, packager, _upstream.Live.Log!.End);
            Lease.ReceivePlaylists(output.WrittenSpan, Stream.Now).ShouldBeNull();
            Pull();
        }
    }

    public HlsPackager Use(HlsFormat format)
    {
        Live.UseHls(format, Stream.Now, out var unsupported);
        unsupported.ShouldBeNull();
        Follow();
        return Live.UseHls(format, Stream.Now, out _).ShouldNotBeNull();
    }

    public void Dispose() => _viewer?.Dispose();

    private void Pull()
    {
        _viewer!.Pull();
        var bytes = _viewer.Received;
        _rest.AddRange(bytes.Skip(_read));
        _read = bytes.Count;
        var input = _rest.ToArray().AsSpan();
        while (RelayFrame.TryReadHeader(input, out var type, out var header, out var length) && input.Length >= header + length)
        {
            Types.Add(type);
            Lease.Receive(type, input.Slice(header, length), Stream.Now).ShouldBeNull(type.ToString());
            input = input[(header + length)..];
        }

        var left = input.Length;
        _rest.RemoveRange(0, _rest.Count - left);
    }
}
