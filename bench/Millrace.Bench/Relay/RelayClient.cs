using System.Buffers;
using System.Diagnostics;
using Millrace.Bench.Load;
using Millrace.Protocols.Relay;

namespace Millrace.Bench.Relay;

/// <summary>An edge that fetches one stream: it answers for itself until entries come, and then sends its heartbeats.</summary>
internal sealed class RelayClient(string app, string name, int number) : MediaClient
{
    private readonly RelaySession _session = new(new RelayOptions { Node = $"edge-{number}", IsClient = true }, Now);

    private static long Now => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);

    public override void Open() => _session.Start(Output);

    public override void Feed(ReadOnlySpan<byte> bytes)
    {
        var input = new ReadOnlySequence<byte>(bytes.ToArray());
        while (!input.IsEmpty)
        {
            _session.Receive(input, Output, Now, out var consumed);
            input = input.Slice(consumed);
            while (_session.TryTakeEvent(out var happened)) Handle(happened);
        }
    }

    /// <summary>The session need not know that its heartbeats are answered: what comes is counted and dropped.</summary>
    public override void Beat()
    {
        var now = Now;
        _session.OnReceived(now);
        _session.OnDeadline(now, Output);
    }

    private void Handle(in RelayEvent happened)
    {
        switch (happened.Kind)
        {
            case RelayEventKind.Ready:
                _session.Request(Output, new RelayRequest { Kind = RelayRequestKind.Play, Stream = $"default/{app}/{name}" });
                Asked = true;
                break;
            case RelayEventKind.Log when happened.Type == RelayMessageType.Unit:
                Started = true;
                break;
            case RelayEventKind.Refused:
                throw new InvalidDataException($"refused: {happened.Refusal!.Reason}");
            case RelayEventKind.Closed:
                throw new InvalidDataException(_session.CloseReason);
        }
    }
}
