using Microsoft.Extensions.Logging;
using Millrace.Node.Relay;
using Millrace.Node.Shards;
using Millrace.Streams;

namespace Millrace.Node.Access;

/// <summary>Takes questions to the origins. Everything on one shard but for what is said: there are few of them, and they share connections.</summary>
internal sealed class AccessInquiries(NodeContext node, AccessJudge judge)
{
    /// <summary>Foreign servers need a connection for each question: at most so many at once, the others wait.</summary>
    private const int MostForeign = 32;

    /// <summary>An origin that did not take a connection is passed over for this long where there are others, microseconds.</summary>
    private const long DownMicros = 1_000_000;

    /// <summary>That nobody can be asked is said so often at most, however many viewers that concerns.</summary>
    private const long LineMicros = 1_000_000;

    private readonly Dictionary<(OriginAddress Origin, string Path), AccessLink> _links = [];
    private readonly Dictionary<OriginAddress, long> _downUntil = [];
    private readonly Queue<AccessInquiry> _waiting = [];
    private readonly ILogger _logger = node.Loggers.CreateLogger("Millrace.Access");
    private long _nextLine;
    private long _nextSweep;
    private int _foreign;

    /// <summary>
    /// Most connections to other nodes. One for each origin and each node below that questions come from, whose name is that node's own word; the one that has been
    /// quiet longest makes room for another.
    /// </summary>
    public int MostLinks { get; init; } = 1_000;

    /// <summary>To be set before anybody asks.</summary>
    public Shard Shard { get; set; } = null!;

    /// <summary>Connections to other nodes that questions go by; any thread.</summary>
    public int LinkCount { get; private set; }

    /// <summary>Any thread.</summary>
    public void Begin(AccessQuestion question) => Shard.Post(() => new AccessInquiry(this, node, question).Begin(NodeClock.Micros));

    /// <summary>Origins that are passed over, or were a moment ago; any thread.</summary>
    public int DownCount { get; private set; }

    public bool IsDown(OriginAddress origin, long now)
    {
        if (!_downUntil.TryGetValue(origin, out var until))
            return false;
        if (now < until)
            return true;
        _downUntil.Remove(origin);
        DownCount = _downUntil.Count;
        return false;
    }

    /// <summary>Those that the map names come and go: who is not asked for again is forgotten when others are noted.</summary>
    public void NoteDown(OriginAddress origin, long now)
    {
        if (now >= _nextSweep)
        {
            _nextSweep = now + DownMicros;
            foreach (var (other, until) in _downUntil)
            {
                if (now >= until)
                    _downUntil.Remove(other);
            }
        }

        _downUntil[origin] = now + DownMicros;
        DownCount = _downUntil.Count;
    }

    /// <summary>The connection to another node, which is made when there is none; null where there are too many by which answers are still waited for.</summary>
    /// <param name="origin">Which.</param>
    /// <param name="path">The nodes below.</param>
    /// <param name="stream">Of the first who asks.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public AccessLink? LinkTo(OriginAddress origin, IReadOnlyList<string> path, StreamName stream, long now)
    {
        var key = (origin, string.Join(' ', path));
        if (_links.TryGetValue(key, out var link))
            return link;
        if (_links.Count >= MostLinks)
            _links.Values.Where(static known => known.IsIdle).MinBy(static known => known.AskedAt)?.LetGo(now);
        if (_links.Count >= MostLinks)
            return null;
        _links[key] = link = new AccessLink(this, node, origin, path, stream);
        LinkCount = _links.Count;
        return link;
    }

    public void Forget(AccessLink link)
    {
        if (_links.Remove((link.Origin, string.Join(' ', link.Path))))
            LinkCount = _links.Count;
    }

    /// <summary>False where it has to wait until another has its answer.</summary>
    public bool TryEnter(AccessInquiry inquiry)
    {
        if (_foreign >= MostForeign)
        {
            _waiting.Enqueue(inquiry);
            return false;
        }

        _foreign++;
        return true;
    }

    /// <summary>One that has entered needs no connection any more.</summary>
    public void Leave()
    {
        _foreign--;
        while (_foreign < MostForeign && _waiting.TryDequeue(out var next))
        {
            if (!next.IsOver)
                next.Connect();
        }
    }

    public void Settle(AccessQuestion question, AccessOutcome outcome, string reason, long lifetime, long now, bool isUnexplained)
    {
        if (outcome == AccessOutcome.Unavailable && now >= _nextLine)
        {
            _nextLine = now + LineMicros;
            _logger.LogWarning("{Claim}: {Reason}", question.Claim, reason);
        }

        judge.Verdicts.Settle(question, outcome, reason, lifetime, now, isUnexplained);
    }
}
