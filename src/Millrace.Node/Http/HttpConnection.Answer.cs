using Millrace.Node.Metrics;
using Millrace.Node.Shards;
using Millrace.Streams.Wire;

namespace Millrace.Node.Http;

/// <summary>What of a request matters for its answer's way out.</summary>
/// <param name="IsHead">No body goes out.</param>
/// <param name="IsVersion11">HTTP/1.1.</param>
/// <param name="KeepsAlive">The connection goes on behind the answer.</param>
/// <param name="HeadBytes">Length of the request's head.</param>
/// <param name="Began">Monotonic time, microseconds.</param>
/// <param name="BytesBefore">What the connection had sent before.</param>
internal readonly record struct HttpExchange(bool IsHead, bool IsVersion11, bool KeepsAlive, int HeadBytes, long Began, long BytesBefore);

/// <content>The way of a finished answer into the socket: its body is sent from where it lies.</content>
internal sealed unsafe partial class HttpConnection
{
    private HttpExchange _exchange;
    private TrafficSubject _subject;
    private MediaAnswer? _answer;
    private MediaBody _body;
    private byte[]? _head;
    private int _headSent;
    private long _lookAgain = long.MaxValue;

    /// <summary>An answer is on its way out.</summary>
    public bool IsAnswering => _answer is not null;

    /// <summary>The connection ends behind the answer at hand.</summary>
    public void EndAfterAnswer() => _exchange = _exchange with { KeepsAlive = false };

    /// <summary>Whatever comes next stays in the socket until the answer is out.</summary>
    public void HoldNextRequest() => PauseInput(hearsHangup: !IsAnswering);

    /// <summary>Sends an answer, and then looks at the next request.</summary>
    /// <param name="answer">Held; it is released when it is out.</param>
    /// <param name="subject">What it counts for.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Answer(MediaAnswer answer, in TrafficSubject subject, long now)
    {
        (_answer, _subject) = (answer, subject);
        _body = _exchange.IsHead ? default : answer.Body;
        if (answer.IsStream)
            EndAfterAnswer();
        try
        {
            if (answer.IsShared && _exchange is { IsVersion11: true, KeepsAlive: true })
            {
                SendAnswer(_head = answer.SharedHead(Node.Settings, Shard.Reply), now);
            }
            else
            {
                WriteHead(answer, answer.IsStream ? BodyFraming.UntilClose : BodyFraming.Length);
                SendAnswer(Shard.Reply.WrittenSpan, now);
            }
        }
        finally
        {
            Shard.Reply.ResetWrittenCount();
        }
    }

    /// <summary>Writes the head of an answer into the shard's <see cref="Shard.Reply"/>.</summary>
    public void WriteHead(MediaAnswer answer, BodyFraming framing)
    {
        var persistence = !_exchange.KeepsAlive ? Persistence.Close : _exchange.IsVersion11 ? Persistence.Implied : Persistence.KeepAlive;
        HttpAnswerHead.Write(Shard.Reply, answer, Node.Settings, framing, persistence);
    }

    /// <summary>Counts an answer that goes on for long, at its beginning; its session adds the bytes.</summary>
    public void CountStream(in TrafficSubject subject, int status, long now) =>
        Node.Traffic.Count(subject, status, _exchange.HeadBytes, 0, now - _exchange.Began);

    /// <summary>Counts a request whose client has left before there was an answer.</summary>
    public void CountGone(in TrafficSubject subject) =>
        Node.Traffic.Count(subject, TrafficZones.ClientGone, _exchange.HeadBytes, 0, NodeClock.Micros - _exchange.Began);

    protected override void OnWritable(long now)
    {
        if (IsAnswering)
            SendAnswer(_head.AsSpan(_headSent), now);
        else
            Pump(now);
        ArmBy(NextTimer(now));
    }

    private void BeginExchange(in HttpRequestHead request, long now) =>
        _exchange = new HttpExchange(request.IsHead, request.IsVersion11, !request.WantsClose, request.Length, now, BytesOut);

    private void SendAnswer(ReadOnlySpan<byte> head, long now)
    {
        var runs = stackalloc WireRun[MaxRuns];
        fixed (byte* headAddress = head)
        fixed (byte* memory = _body.Memory.Span)
        {
            var count = 0;
            if (!head.IsEmpty)
                runs[count++] = new WireRun { Address = headAddress, Length = (nuint)head.Length };
            var bytes = head.Length + _body.Fill(new Span<WireRun>(runs, MaxRuns), ref count, memory, TurnBytes);
            var sent = Send(runs, count, bytes, now);
            if (IsClosed)
                return;
            if (sent < head.Length + _body.Length)
            {
                KeepRest(head, sent);
                GiveWay(now);
                LookAgainLater(now);
                return;
            }
        }

        Complete(now);
    }

    private void KeepRest(ReadOnlySpan<byte> head, long sent)
    {
        var ofHead = (int)Math.Min(sent, head.Length);
        if (_head is not null)
            _headSent += ofHead;
        else if (ofHead < head.Length)
            _head = head[ofHead..].ToArray();
        _body = _body.Slice(sent - ofHead, _body.Length - (sent - ofHead));
    }

    private void LookAgainLater(long now)
    {
        if (WriteTimeoutMicros > 0)
            _lookAgain = Math.Min(_lookAgain, now + WriteTimeoutMicros);
    }

    /// <summary>A peer that takes a byte now and then must not keep a segment for ever that the packager has long let go.</summary>
    private void LookAtProgress(long now)
    {
        _lookAgain = long.MaxValue;
        if (_body.Segment is { IsDropped: true })
            Close("the peer takes too long for a segment that is no longer kept");
        else
            LookAgainLater(now);
    }

    private void Complete(long now)
    {
        ForgetAnswer();
        _player = null;
        ResumeInput();
        if (_exchange.KeepsAlive)
            ExpectRequest(now, Node.Settings.Limits.IdleTimeout);
        else
            EndAfterSent(_refusal ?? "answered", now);
    }

    /// <summary>The answer is out, or its connection has gone.</summary>
    private void ForgetAnswer()
    {
        if (_answer is not { } answer)
            return;
        (_answer, _body, _head, _headSent, _lookAgain) = (null, default, null, 0, long.MaxValue);
        answer.Release();
        Node.Traffic.Count(_subject, answer.Status, _exchange.HeadBytes, BytesOut - _exchange.BytesBefore, NodeClock.Micros - _exchange.Began);
    }
}
