using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Millrace.Node.Metrics;
using Millrace.Streams;

namespace Millrace.Node.Sessions;

internal enum SessionRole
{
    /// <summary>Connected, and has not said what for.</summary>
    Unknown,
    Publisher,
    Player,

    /// <summary>Another node.</summary>
    Relay,
}

/// <summary>
/// One publisher or viewer, as logs and the API see it: one opening line when it begins to publish or play, one closing
/// line with the reason when it ends.
/// </summary>
internal sealed class NodeSession(SessionTable table, string id, string protocol, IPEndPoint remote)
{
    private readonly TrafficFormat? _format = TrafficFormats.OfStreaming(protocol);
    private readonly Lock _gate = new();
    private ISessionTraffic? _traffic;
    private long _settledIn;
    private long _settledOut;
    private bool _isClosed;

    public string Id { get; } = id;

    public string Protocol { get; } = protocol;

    public IPEndPoint Remote { get; } = remote;

    /// <summary>Null before the session has a viewer's or publisher's end.</summary>
    public ISessionTraffic? Traffic
    {
        get => _traffic;
        set
        {
            Settle();
            lock (_gate)
                (_traffic, _settledIn, _settledOut) = (value, value?.BytesIn ?? 0, value?.BytesOut ?? 0);
        }
    }

    public DateTimeOffset Started { get; } = DateTimeOffset.UtcNow;

    public SessionRole Role { get; private set; }

    public StreamName? Stream { get; private set; }

    /// <summary>What the peer calls itself: flashVer or User-Agent, without control characters.</summary>
    public string Agent { get; set; } = "";

    /// <summary>Ends the session from outside, with a reason.</summary>
    public Action<string>? Kick { get; set; }

    public void Open(SessionRole role, StreamName stream)
    {
        Role = role;
        Stream = stream;
        table.Add(this);
        table.Logger.LogInformation("{Protocol} {Role} {Session} opened: {Stream} from {Remote} ({Agent})", Protocol, RoleName, Id, stream, Remote, Agent);
    }

    public void Close(string reason)
    {
        Settle();
        lock (_gate)
            _isClosed = true;
        var seconds = (DateTimeOffset.UtcNow - Started).TotalSeconds;
        table.Remove(this);
        table.Logger.LogInformation(
            "{Protocol} {Role} {Session} closed: {Reason}; {Stream} from {Remote}, {Seconds:F1} s, {BytesIn} bytes in, {BytesOut} out, {Skips} skips",
            Protocol, RoleName, Id, reason, (object?)Stream ?? "no stream", Remote, seconds, Traffic?.BytesIn ?? 0, Traffic?.BytesOut ?? 0, Traffic?.Skips ?? 0);
    }

    /// <summary>
    /// Adds to the zones what has been moved since the last call: so nothing is counted on the way of a frame, and what is
    /// read is of this moment all the same.
    /// </summary>
    public void Settle()
    {
        lock (_gate)
        {
            // A connection outlives its sessions: what it moves later is the next one's.
            if (_isClosed || _format is not { } format || Stream is not { } stream || _traffic is not { } traffic)
                return;
            var (bytesIn, bytesOut) = (traffic.BytesIn, traffic.BytesOut);
            table.Traffic.AddBytes(stream, format, bytesIn - _settledIn, bytesOut - _settledOut);
            (_settledIn, _settledOut) = (bytesIn, bytesOut);
        }
    }

    public string RoleName => Role switch
    {
        SessionRole.Publisher => "publisher",
        SessionRole.Player => "player",
        SessionRole.Relay => "relay",
        _ => "connection",
    };
}
