using System.Text;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <summary>The origins of one stream in the order in which they are tried. On its shard but for <see cref="Current"/>.</summary>
internal sealed class OriginList
{
    /// <summary>How long one that has failed with this stream is not tried where there are others, microseconds.</summary>
    private const long DownMicros = 3_000_000;

    private readonly OriginAddress[] _listed;
    private readonly OriginHealth _health;
    private readonly Dictionary<OriginAddress, long> _downUntil = [];
    private readonly HashSet<OriginAddress> _tried = [];
    private OriginAddress[] _origins;
    private OriginAddress? _current;
    private int _index;
    private bool _triesAll;

    /// <param name="origins">As they stand in the settings, which have been checked.</param>
    /// <param name="first">Which is tried first.</param>
    /// <param name="health">What is known of them.</param>
    /// <param name="protocol">Of those without a scheme.</param>
    public OriginList(IReadOnlyList<string> origins, int first, OriginHealth health, UpstreamProtocol protocol = UpstreamProtocol.Rtmp)
    {
        OriginAddress[] listed = [.. origins.Select(text => Parse(text, protocol))];
        _listed = _origins = [.. listed[first..], .. listed[..first]];
        _health = health;
        MoveTo(0);
    }

    public bool IsEmpty => _origins.Length == 0;

    public int Count => _origins.Length;

    /// <summary>Not to be asked for when there is none. Any thread.</summary>
    public OriginAddress Current => Volatile.Read(ref _current)!;

    /// <summary>The one that serves as long as it can.</summary>
    public OriginAddress Preferred => _origins[0];

    /// <summary>Another round begins with what the cluster's map says; null: with those of the settings alone.</summary>
    /// <param name="url">The node that the map names.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Prefer(string? url, long now)
    {
        var mapped = url is null ? null : OriginAddress.TryParseUrl(url);
        if (mapped is null && _origins == _listed)
            return;
        _origins = mapped is null ? _listed : [mapped, .. _listed.Where(listed => listed != mapped)];
        _tried.Clear();
        MoveTo(0);
        PassOver(now);
    }

    /// <summary>One more to be tried, beside the current; null: none.</summary>
    public void Include(string? url)
    {
        if (url is null || OriginAddress.TryParseUrl(url) is not { } mapped || _origins.Contains(mapped))
            return;
        var current = Current;
        _origins = [mapped, current, .. _listed.Where(listed => listed != current)];
        MoveTo(1);
    }

    /// <summary>The current one has failed with this stream: it is left out for a while, as long as there is another.</summary>
    public void LeaveOut(long now)
    {
        if (!IsEmpty)
            _downUntil[Current] = now + DownMicros;
    }

    /// <summary>The current one cannot be reached, by no stream.</summary>
    public void Fail(long now)
    {
        if (!IsEmpty)
            _health.Fail(Current, now);
    }

    /// <summary>The current one has answered.</summary>
    public void Succeed() => _health.Succeed(Current);

    /// <summary>The current one serves.</summary>
    public void Keep()
    {
        _tried.Clear();
        _triesAll = false;
        _downUntil.Remove(Current);
    }

    /// <summary>Another one has been found to serve.</summary>
    public void GoTo(OriginAddress origin)
    {
        MoveTo(Math.Max(0, Array.IndexOf(_origins, origin)));
        Keep();
    }

    /// <summary>Goes on to the next that is not left out; false when each of these has been tried since the round began.</summary>
    public bool TryNext(long now) => TryMove(origin => !IsLeftOut(origin, now));

    /// <summary>Goes on to one that was left out: it may be well again, which is more than is known of those that have just failed. False when all have been tried.</summary>
    public bool TryLeftOut() => TryMove(static _ => true);

    /// <summary>The first round begins, with the first that is not left out. When all are, none is.</summary>
    public void Begin(long now)
    {
        _tried.Clear();
        _triesAll = false;
        PassOver(now);
    }

    /// <summary>None was of use: another round begins, in which none is left out.</summary>
    public void NextRound(long now)
    {
        if (IsEmpty)
            return;
        MoveTo((_index + 1) % _origins.Length);
        Begin(now);
        LeaveNoneOut();
    }

    /// <summary>None of them was of use: those that were left out may be again, and are tried too until one serves.</summary>
    public void LeaveNoneOut() => _triesAll = true;

    /// <summary>One beside the current to be tried meanwhile; null when there is none.</summary>
    /// <param name="turn">The how manieth.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public OriginAddress? Beside(int turn, long now)
    {
        OriginAddress[] others = [.. _origins.Where(origin => origin != Current && !IsLeftOut(origin, now))];
        return others.Length == 0 ? null : others[turn % others.Length];
    }

    /// <summary>It has failed lately.</summary>
    public bool IsLeftOut(OriginAddress origin, long now) =>
        !_triesAll && (_health.IsLeftOut(origin, now) || (_downUntil.TryGetValue(origin, out var until) && now < until));

    public override string ToString() => Volatile.Read(ref _current)?.ToString() ?? "nowhere";

    /// <summary>The same on every node and after each start (FNV-1a).</summary>
    public static uint Hash(StreamName name)
    {
        var hash = 2_166_136_261u;
        foreach (var value in Encoding.UTF8.GetBytes(name.ToString()))
            hash = (hash ^ value) * 16_777_619u;
        return hash;
    }

    private static OriginAddress Parse(string text, UpstreamProtocol protocol) =>
        OriginAddress.TryParse(text, out var address, out var error, protocol) ? address : throw new ArgumentException(error, nameof(text));

    private bool TryMove(Predicate<OriginAddress> mayBe)
    {
        if (IsEmpty)
            return false;
        _tried.Add(Current);
        for (var i = 1; i < _origins.Length; i++)
        {
            var index = (_index + i) % _origins.Length;
            if (_tried.Contains(_origins[index]) || !mayBe(_origins[index]))
                continue;
            MoveTo(index);
            return true;
        }

        return false;
    }

    private void PassOver(long now)
    {
        _triesAll |= Array.TrueForAll(_origins, origin => IsLeftOut(origin, now));
        for (var i = 0; i < _origins.Length && IsLeftOut(Current, now); i++)
            MoveTo((_index + 1) % _origins.Length);
    }

    private void MoveTo(int index)
    {
        _index = index;
        Volatile.Write(ref _current, IsEmpty ? null : _origins[index]);
    }
}
