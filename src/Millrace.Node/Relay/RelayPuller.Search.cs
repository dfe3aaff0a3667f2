using Millrace.Node.Cluster;
using Millrace.Protocols.Relay;

namespace Millrace.Node.Relay;

/// <content>Who is asked for the stream, and what is made of it when nobody has it.</content>
internal sealed partial class RelayPuller
{
    /// <summary>Where the map of the cluster knows who has the stream, that node is asked first.</summary>
    protected override void BeginRound(long now)
    {
        if (!_upstreams.IsMapped)
        {
            Dial(now);
            return;
        }

        Ask(TakeAnswer);
    }

    protected override bool TryAskBeside()
    {
        if (_upstreams.IsMapped)
            Ask((answer, now) => Told(answer.Url, now));
        return _upstreams.IsMapped;
    }

    protected override void Connect(long now)
    {
        _askedAt = now;
        _upstreams.Counters.Attempted();
        base.Connect(now);
    }

    protected override bool Outweighs(RelayRefusal refusal) => refusal.Code != RelayRefusalCode.NotFound;

    protected override bool TrySettle(RelayRefusal refusal, RelayRefusal worst, long now)
    {
        // An origin that says what it has, or may not give, works.
        if (refusal.Code is not (RelayRefusalCode.NotFound or RelayRefusalCode.Denied or RelayRefusalCode.Loop or RelayRefusalCode.Conflict))
            _upstreams.Counters.Failed();
        return false;
    }

    protected override bool IsEnough(RelayRefusal worst) =>
        State == UpstreamState.Pending && worst.Code is RelayRefusalCode.NotFound or RelayRefusalCode.Denied or RelayRefusalCode.Loop;

    protected override void OnRoundFailed(RelayRefusal worst, long now)
    {
        _isByNewest = !_isByNewest;
        if (IsEnough(worst))
            GiveUp(worst, now);
        else
            OnNotFound();
    }

    /// <summary>The nodes below are to look for it as well.</summary>
    protected override void OnNotFound() => _intake?.Stream.BecomeOrphan();

    private void Ask(Action<OriginAnswer, long> take)
    {
        var asked = Node.OriginMap!.FindAsync(Name, Node.Stopping).AsTask();
        if (asked.IsCompletedSuccessfully)
            take(asked.Result, NodeClock.Micros);
        else
            _ = AwaitAnswerAsync(asked, take);
    }

    private async Task AwaitAnswerAsync(Task<OriginAnswer> asked, Action<OriginAnswer, long> take)
    {
        await ((Task)asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Shard.Post(() =>
        {
            if (!IsOver)
                take(asked.IsCompletedSuccessfully ? asked.Result : OriginAnswer.None, NodeClock.Micros);
        });
    }

    private void TakeAnswer(OriginAnswer answer, long now)
    {
        Origins.Prefer(answer.Url, now);
        Dial(now);
    }

    private void Dial(long now)
    {
        if (Origins.IsEmpty)
            GoOn(new RelayRefusal(RelayRefusalCode.NotFound, $"{Name.Path} is not live: no node has said that it has it"), now);
        else
            Connect(now);
    }
}
