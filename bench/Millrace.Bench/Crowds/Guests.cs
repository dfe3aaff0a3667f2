using System.Diagnostics;

namespace Millrace.Bench.Crowds;

/// <summary>The viewers who are there in some windows only: who never read, who read at half speed, who come and go.</summary>
/// <param name="halfRate">Half of the stream's bytes per second.</param>
internal sealed class Guests(CrowdPlan plan, Crowd crowd, double halfRate)
{
    private const double ReadEvery = 0.02;
    private const double Patience = 5; // for the first key frame: the clip has one every 2 s
    private readonly List<CrowdMember> _slow = [];
    private readonly LinkedList<CrowdMember> _joiners = new();
    private readonly List<double> _firstMedia = [];
    private readonly List<double> _firstKeys = [];
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private int _source = Crowd.FirstGuestSource;
    private bool _isComing;
    private double _since;
    private double _lastRead;
    private int _come;
    private int _awaited;
    private double _closedAt = double.MaxValue;
    private long _from = long.MaxValue;
    private long _to;
    private long _halfBytes;
    private double _halfKbps;

    private static long Now => Stopwatch.GetTimestamp();

    public void Arrive(double now)
    {
        for (int i = 0; i < plan.Stalled; i++) _slow.Add(crowd.Add(CrowdRole.Stalled, _source++, null));
        for (int i = 0; i < plan.HalfSpeed; i++) _slow.Add(crowd.Add(CrowdRole.HalfSpeed, _source++, new PictureCheck(null)));
        (_isComing, _since, _lastRead, _come) = (true, now, now, 0);
    }

    public void OpenWindow()
    {
        _firstMedia.Clear();
        _firstKeys.Clear();
        _faults.Clear();
        (_from, _to, _awaited, _closedAt) = (Now, long.MaxValue, 0, double.MaxValue);
        _halfBytes = HalfBytes();
    }

    /// <summary>Nobody else comes; those who came inside the window are still waited for.</summary>
    public void CloseWindow(double seconds)
    {
        _to = Now;
        _isComing = false;
        _halfKbps = plan.HalfSpeed > 0 ? (HalfBytes() - _halfBytes) * 8 / 1000.0 / seconds / plan.HalfSpeed : 0;
    }

    /// <summary>Some who came inside the window have yet to see their first key frame.</summary>
    public bool Awaits(double now)
    {
        _closedAt = Math.Min(_closedAt, now);
        return _awaited > 0 && now - _closedAt < Patience;
    }

    public void Leave()
    {
        foreach (var member in _slow) crowd.Remove(member);
        foreach (var member in _joiners) crowd.Remove(member);
        _slow.Clear();
        _joiners.Clear();
        _from = long.MaxValue;
    }

    /// <summary>What is due by the clock: reads of the slow, joins, and leaves.</summary>
    public void Turn(double now)
    {
        if (now - _lastRead >= ReadEvery)
        {
            foreach (var member in _slow)
            {
                if (member is { Role: CrowdRole.HalfSpeed, IsUnwatched: true, Viewer.Alive: true }) ReadHalf(member, now - _lastRead);
            }

            _lastRead = now;
        }

        long stay = (long)(plan.Stay * Stopwatch.Frequency);
        while (plan.Joins > 0 && _joiners.First is { } oldest && Now - oldest.Value.Since > stay) End(oldest.Value);
        if (!_isComing) return;
        while (plan.Joins > 0 && _come < (now - _since) * plan.Joins) Come();
        while (_joiners.Count < plan.JoinsAtOnce) Come();
    }

    /// <summary>An event of a guest has been handled.</summary>
    public void OnServed(CrowdMember member)
    {
        var viewer = member.Viewer;
        if (!viewer.Alive)
        {
            if (member.Role != CrowdRole.Joiner) return;
            Note(viewer.Reason ?? "gone");
            End(member);
        }
        else if (member.IsUnwatched)
        {
            return;
        }
        else if (member.Role != CrowdRole.Joiner)
        {
            if (member.Role == CrowdRole.Stalled ? viewer.Asked : viewer.Started) crowd.Unwatch(member);
        }
        else if (plan.JoinsAtOnce > 0 && member.Check!.FirstMedia != 0)
        {
            End(member);
        }
        else if (member.Check!.FirstKey != 0)
        {
            NoteKey(member);
            crowd.StopTiming(member);
        }
    }

    public GuestsReport Report(SessionList sessions)
    {
        if (_awaited > 0) Note("no key frame came", _awaited);
        foreach (var dead in _slow.Where(static m => m.Role == CrowdRole.HalfSpeed && !m.Viewer.Alive)) Note($"half-speed viewer: {dead.Viewer.Reason}");
        if (_slow.Count(static m => m.IsUnwatched) is var began && began < _slow.Count) Note("slow viewers did not start", _slow.Count - began);
        return new GuestsReport
        {
            Stalled = _slow.Count(static m => m.Role == CrowdRole.Stalled),
            HalfSpeed = _slow.Count(static m => m.Role == CrowdRole.HalfSpeed),
            HalfSpeedKbps = _halfKbps,
            Jumps = _slow.Sum(static m => m.Check?.Jumps ?? 0),
            Skips = sessions.GuestSkips,
            MaxLagBytes = sessions.GuestLagBytes,
            FirstMedia = Times.Of(_firstMedia),
            FirstKey = Times.Of(_firstKeys),
            Faults = [.. _faults.Select(static f => $"{f.Value}x {f.Key}")],
        };
    }

    private long HalfBytes() => _slow.Where(static m => m.Role == CrowdRole.HalfSpeed).Sum(static m => m.Viewer.Bytes);

    private void ReadHalf(CrowdMember member, double seconds)
    {
        member.Allowance = Math.Min(member.Allowance + (seconds * halfRate), halfRate);
        if (member.Allowance >= 1) member.Allowance -= crowd.ReadOnce(member, (int)member.Allowance);
    }

    private void Come()
    {
        var member = crowd.Add(CrowdRole.Joiner, _source++, new PictureCheck(null));
        _come++;
        member.Place = _joiners.AddLast(member);
        if (Counts(member) && plan.JoinsAtOnce == 0) _awaited++;
    }

    private void End(CrowdMember member)
    {
        if (Counts(member))
        {
            if (plan.JoinsAtOnce > 0) NoteMedia(member);
            else if (!member.IsUnwatched) NoteUnseen(member);
        }

        _joiners.Remove(member.Place!);
        crowd.Remove(member);
    }

    private void NoteMedia(CrowdMember member)
    {
        if (member.Check!.FirstMedia != 0) _firstMedia.Add(Milliseconds(member, member.Check.FirstMedia));
    }

    private void NoteUnseen(CrowdMember member)
    {
        _awaited--;
        Note(member.Check!.FirstMedia == 0 ? "no media came" : "no key frame came");
    }

    private void NoteKey(CrowdMember member)
    {
        if (!Counts(member)) return;
        NoteMedia(member);
        _firstKeys.Add(Milliseconds(member, member.Check!.FirstKey));
        _awaited--;
    }

    private bool Counts(CrowdMember member) => member.Since >= _from && member.Since < _to;

    private void Note(string fault, int count = 1) => _faults[fault] = _faults.GetValueOrDefault(fault) + count;

    private static double Milliseconds(CrowdMember member, long at) => (at - member.Since) * 1000.0 / Stopwatch.Frequency;
}
