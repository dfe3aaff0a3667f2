using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Node.Settings;
using Millrace.Node.Shards;
using Millrace.Node.Tls;
using Millrace.Protocols.Relay;
using Millrace.Streams;
using Millrace.Streams.Relay;

namespace Millrace.Node.Relay;

internal enum RelayProbeOutcome
{
    /// <summary>The name cannot be looked up.</summary>
    NoAddress,
    Unreachable,

    /// <summary>There is no TLS to be had there, or one side does not accept the other's certificate.</summary>
    Tls,

    /// <summary>The two have different secrets, or one of them has none.</summary>
    Secret,

    /// <summary>It is this node itself.</summary>
    Loop,

    /// <summary>It has no such stream.</summary>
    NotFound,

    /// <summary>It tells this one nothing of the stream.</summary>
    Denied,

    /// <summary>Whatever else the other side, or this one, objected to.</summary>
    Refused,

    /// <summary>The other node has let this one in.</summary>
    Accepted,
}

/// <summary>What came of knocking at another node.</summary>
/// <param name="Node">The other node's id; null where it did not come to that.</param>
/// <param name="Error">Why it was not accepted.</param>
/// <param name="AheadMicros">What the other node's clock is ahead of this one's; wrong by at most half of the round trip.</param>
/// <param name="RoundTripMicros">The shortest of some heartbeats.</param>
/// <param name="ValidUntil">When the other node's certificate expires; null without TLS.</param>
/// <param name="ConnectMicros">Until the other node had let this one in.</param>
internal sealed record RelayProbeResult(
    RelayProbeOutcome Outcome, string? Node = null, string? Error = null, long AheadMicros = 0, long RoundTripMicros = 0, DateTime? ValidUntil = null,
    long ConnectMicros = 0)
{
    /// <summary>What the other node knows of the stream that it was asked for.</summary>
    public RelayDescription? Description { get; init; }
}

/// <summary>Connects to another node as an edge does, and leaves without playing anything.</summary>
/// <param name="settings">Valid settings of this side.</param>
internal sealed class RelayProbe(NodeSettings settings)
{
    /// <summary>How long heartbeats are exchanged: some six of them.</summary>
    private const long MeasureMicros = 400_000;

    /// <summary>The other side answers no two that come closer together than 50 ms.</summary>
    private const long HeartbeatMicros = 60_000;

    /// <summary>Nobody's media waits: a link that is slow is told apart from one that is dead.</summary>
    private const long TimeoutMicros = 3_000_000;

    /// <summary>As whom it asks for a stream: this node itself may be asked, and no node refuses it as a loop.</summary>
    private const string Asker = "doctor";

    private const string PeerClosed = "the peer closed the connection";

    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(5);

    /// <summary>For each of the steps that an edge, which waits no longer than <c>edge.connect_timeout</c> for all of them, takes until it is let in.</summary>
    private readonly TimeSpan _patience = settings.Edge.ConnectTimeout > LeastPatience ? settings.Edge.ConnectTimeout : LeastPatience;

    /// <summary>Measures the link for a moment.</summary>
    public Task<RelayProbeResult> RunAsync(OriginAddress origin, CancellationToken cancellationToken) =>
        ConnectAsync(origin, request: null, cancellationToken);

    /// <summary>Asks what the other node knows of a stream.</summary>
    public Task<RelayProbeResult> DescribeAsync(OriginAddress origin, StreamName stream, CancellationToken cancellationToken)
    {
        var request = new RelayRequest { Kind = RelayRequestKind.Describe, Stream = stream.ToString(), Agent = Asker, Formats = byte.MaxValue };
        return ConnectAsync(origin, request, cancellationToken);
    }

    private async Task<RelayProbeResult> ConnectAsync(OriginAddress origin, RelayRequest? request, CancellationToken cancellationToken)
    {
        var fault = RelayProbeOutcome.NoAddress;
        var heard = new Heard(request);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            if (await origin.ResolveAsync(cancellationToken) is not [var remote, ..])
                return new RelayProbeResult(fault, Error: $"{origin.Host} has no address");
            fault = RelayProbeOutcome.Unreachable;
            using var socket = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            var start = NodeClock.Micros;
            limit.CancelAfter(_patience);
            await socket.ConnectAsync(remote, limit.Token);
            fault = RelayProbeOutcome.Refused;
            await using var stream = new NetworkStream(socket);
            var result = origin.IsTls ? await SecureAsync(stream, origin, heard, cancellationToken) : await TalkAsync(stream, heard, cancellationToken);
            return result with { ConnectMicros = heard.ReadyAt - start };
        }
        catch (IOException e)
        {
            return new RelayProbeResult(fault, Error: e.InnerException?.Message ?? e.Message);
        }
        catch (SocketException e)
        {
            return new RelayProbeResult(fault, Error: e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new RelayProbeResult(fault, Error: FormattableString.Invariant($"no connection within {_patience.TotalSeconds} s"));
        }
    }

    private async Task<RelayProbeResult> SecureAsync(NetworkStream stream, OriginAddress origin, Heard heard, CancellationToken cancellationToken)
    {
        var check = new PeerCheck(origin.TlsName);
        var isHandshake = true;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_patience);
        try
        {
            await using var secure = new SslStream(stream, leaveInnerStreamOpen: true, check.Accept);
            var tls = RelayTls.Open(settings, NullLogger.Instance, NodeClock.Micros);
            await secure.AuthenticateAsClientAsync(tls.Client(origin), limit.Token);
            isHandshake = false;
            var result = await TalkAsync(secure, heard, cancellationToken) with { ValidUntil = check.ValidUntil };
            return result is { Node: null, Error: PeerClosed } ? result with { Outcome = RelayProbeOutcome.Tls, Error = check.DescribeEnd(null, hasReceived: false) } : result;
        }
        catch (ListenException e)
        {
            return new RelayProbeResult(RelayProbeOutcome.Tls, Error: e.Message);
        }
        catch (Exception e) when (e is IOException or AuthenticationException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var error = isHandshake ? check.DescribeFailure(e, isHandshake) : check.DescribeEnd(e, hasReceived: false);
            return new RelayProbeResult(RelayProbeOutcome.Tls, Error: error, ValidUntil: check.ValidUntil);
        }
    }

    private async Task<RelayProbeResult> TalkAsync(Stream stream, Heard heard, CancellationToken cancellationToken)
    {
        using var session = new RelaySession(Options(heard.Request is null ? MediaNode.IdOf(settings) : Asker), NodeClock.Micros);
        var output = new ArrayBufferWriter<byte>();
        var input = new byte[RelayRules.MaxSetup];
        Task<int>? receiving = null;
        var end = long.MaxValue;
        session.Start(output);
        while (!session.IsClosed && NodeClock.Micros < end)
        {
            if (output.WrittenCount > 0)
                await stream.WriteAsync(output.WrittenMemory, cancellationToken);
            output.ResetWrittenCount();
            receiving ??= stream.ReadAsync(input, cancellationToken).AsTask();
            var pause = TimeSpan.FromMicroseconds(Math.Max(1_000, Math.Min(session.NextDeadline, end) - NodeClock.Micros));
            if (await Task.WhenAny(receiving, Task.Delay(pause, cancellationToken)) == receiving)
            {
                var received = await receiving;
                receiving = null;
                if (received == 0)
                    session.Close(PeerClosed);
                Feed(session, new ReadOnlySequence<byte>(input, 0, received), output, heard);
            }

            session.OnDeadline(NodeClock.Micros, output);
            // Only now is it sure that it accepts us: it answers nobody else.
            if (heard.Request is null && end == long.MaxValue && session.ClockOffsetMicros is not null)
                end = NodeClock.Micros + MeasureMicros;
        }

        return await LeaveAsync(stream, session, heard, cancellationToken);
    }

    private RelayOptions Options(string node) => new()
    {
        Node = node,
        IsClient = true,
        Secret = Encoding.UTF8.GetBytes(settings.Relay.Secret.Value),
        HeartbeatMicros = HeartbeatMicros,
        TimeoutMicros = TimeoutMicros,
        SetupTimeoutMicros = _patience.ToMicros(),
        UnixOffsetMicros = NodeClock.UnixOffset,
    };

    private static RelayProbeOutcome OutcomeOf(RelayRefusal? refusal) => refusal?.Code switch
    {
        RelayRefusalCode.Unauthorized => RelayProbeOutcome.Secret,
        RelayRefusalCode.Loop => RelayProbeOutcome.Loop,
        RelayRefusalCode.NotFound => RelayProbeOutcome.NotFound,
        RelayRefusalCode.Denied => RelayProbeOutcome.Denied,
        _ => RelayProbeOutcome.Refused,
    };

    private static void Feed(RelaySession session, ReadOnlySequence<byte> input, ArrayBufferWriter<byte> output, Heard heard)
    {
        while (!input.IsEmpty && !session.IsClosed)
        {
            session.Receive(input, output, NodeClock.Micros, out var consumed);
            input = input.Slice(consumed);
            while (session.TryTakeEvent(out var happened))
                heard.Take(session, happened, output);
        }
    }

    private static async Task<RelayProbeResult> LeaveAsync(Stream stream, RelaySession session, Heard heard, CancellationToken cancellationToken)
    {
        var node = session.PeerNode.Length > 0 ? session.PeerNode : null;
        if (heard.Description is not null)
            return new RelayProbeResult(RelayProbeOutcome.Accepted, node) { Description = heard.Description };
        if (session.CloseReason is { } reason)
            return new RelayProbeResult(OutcomeOf(heard.Refusal), node, heard.Refusal?.Reason ?? reason);
        var result = new RelayProbeResult(RelayProbeOutcome.Accepted, node, AheadMicros: session.ClockOffsetMicros ?? 0, RoundTripMicros: session.RoundTripMicros);
        var output = new ArrayBufferWriter<byte>();
        session.Stop(output, "only a check");
        await stream.WriteAsync(output.WrittenMemory, cancellationToken);
        return result;
    }

    /// <summary>What the other node has said so far.</summary>
    /// <param name="request">What it is asked for when it has let this one in; null: nothing.</param>
    private sealed class Heard(RelayRequest? request)
    {
        public RelayRequest? Request => request;

        /// <summary>When it let this one in, monotonic, microseconds.</summary>
        public long ReadyAt { get; private set; }

        public RelayRefusal? Refusal { get; private set; }

        public RelayDescription? Description { get; private set; }

        public void Take(RelaySession session, in RelayEvent happened, ArrayBufferWriter<byte> output)
        {
            Refusal ??= happened.Refusal;
            if (happened.Kind == RelayEventKind.Ready)
            {
                ReadyAt = NodeClock.Micros;
                if (request is not null)
                    session.Request(output, request);
            }

            if (happened.Kind != RelayEventKind.Accepted)
                return;
            if (RelayDescription.TryRead(happened.Payload.Span, out var description))
                Description = description;
            else
                session.Close("an answer that cannot be read");
        }
    }
}
