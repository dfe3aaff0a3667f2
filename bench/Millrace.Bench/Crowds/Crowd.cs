using System.Diagnostics;
using Millrace.Bench.Load;
using Millrace.Bench.Measure;
using Millrace.Bench.Media;
using Millrace.Bench.Native;

namespace Millrace.Bench.Crowds;

/// <summary>
/// All viewers on one thread. Those who are timed are looked at at once, before and between the slices of those who only count, which
/// are read late and much, for that is what keeps the generator cheap.
/// </summary>
internal sealed class Crowd : IDisposable
{
    /// <summary>Number of the first guest's source address; steady viewers have those below it.</summary>
    public const int FirstGuestSource = 1 << 22;

    private const int Slice = 32;
    private const double StartTimeout = 15;
    private const double Remainder = 0.5; // in which the window's last pictures arrive
    private readonly CrowdPlan _plan;
    private readonly EpollSet _prompt = new();
    private readonly EpollSet _paced = new();
    private readonly byte[] _scratch = new byte[256 * 1024];
    private readonly List<CrowdMember?> _members = [];
    private readonly List<CrowdMember> _steady = [];
    private readonly Guests _guests;
    private readonly PictureTimes _times = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ProcessProbe _server;
    private long _bytes;
    private double _nextPace;

    public Crowd(CrowdPlan plan)
    {
        _plan = plan;
        _server = new ProcessProbe(plan.Watch);
        _guests = new Guests(plan, this, ClipIndex.Load(plan.Clip).BitsPerSecond / 8 / 2);
    }

    public List<CrowdWindow> Run()
    {
        AddSteady();
        return [.. _plan.Windows.Select(RunWindow)];
    }

    public void Dispose()
    {
        foreach (var member in _members) member?.Viewer.Close();
        _prompt.Dispose();
        _paced.Dispose();
    }

    /// <summary>Starts a viewer; those with a check are looked at at once.</summary>
    public CrowdMember Add(CrowdRole role, int source, PictureCheck? check)
    {
        var client = _plan.NewClient();
        if (check is not null) client.OnMedia = check.OnMedia;
        bool isSlow = role is CrowdRole.Stalled or CrowdRole.HalfSpeed;
        var member = new CrowdMember(role, _members.Count, new Viewer(_plan.Port, source, client, check is not null, isSlow), check);
        _members.Add(member);
        (check is not null || isSlow ? _prompt : _paced).Add(member.Viewer.Fd, member.Tag, EpollSet.Out);
        return member;
    }

    public void Remove(CrowdMember member)
    {
        member.Viewer.Close();
        _members[member.Tag] = null;
    }

    /// <summary>Reads up to <paramref name="limit"/> bytes of a viewer that no set watches; returns how many came.</summary>
    public int ReadOnce(CrowdMember member, int limit)
    {
        int count = member.Viewer.OnEvent(_prompt, member.Tag, EpollSet.In, _scratch.AsSpan(0, Math.Min(limit, _scratch.Length)));
        _bytes += count;
        return count;
    }

    /// <summary>No event of the viewer is wanted but its end.</summary>
    public void Unwatch(CrowdMember member) => member.Unwatch(_prompt);

    /// <summary>The viewer has been timed; from here on it is one of those who only count.</summary>
    public void StopTiming(CrowdMember member)
    {
        member.Unwatch(_prompt);
        member.Viewer.CountIn(_paced, member.Tag);
    }

    private void AddSteady()
    {
        double start = _clock.Elapsed.TotalSeconds;
        while (_steady.Count < _plan.Steady)
        {
            int due = (int)((_clock.Elapsed.TotalSeconds - start) * _plan.Ramp) + 1;
            while (_steady.Count < Math.Min(due, _plan.Steady))
            {
                bool isSampled = _steady.Count % _plan.SampleEvery == 0;
                _steady.Add(Add(CrowdRole.Steady, _steady.Count, isSampled ? new PictureCheck(_times) : null));
            }

            Pass();
        }

        double limit = _clock.Elapsed.TotalSeconds + StartTimeout;
        while (_clock.Elapsed.TotalSeconds < limit && _steady.Exists(static m => m.Viewer.Alive && !m.Viewer.Started)) Pass();
    }

    private CrowdWindow RunWindow(bool hasGuests)
    {
        double rss = _server.ResidentMegabytes();
        if (hasGuests) _guests.Arrive(_clock.Elapsed.TotalSeconds);
        PassUntil(_clock.Elapsed.TotalSeconds + (hasGuests ? _plan.GuestSettle : _plan.Settle));
        int jumps = Jumps();
        long[] atStart = [.. _steady.Select(static m => m.Viewer.Bytes)];
        foreach (var member in _steady) member.Viewer.BytesBefore = member.Viewer.Bytes;
        _guests.OpenWindow();
        _times.Open(_plan.Seconds);
        var before = Sample.Take(this);
        int starved = 0;
        double end = before.Time + _plan.Seconds;
        for (double second = before.Time + 1; second < end + 0.5; second++)
        {
            PassUntil(Math.Min(second, end));
            starved = Math.Max(starved, CountStarved());
        }

        var after = Sample.Take(this);
        double seconds = after.Time - before.Time;
        double[] kbps = [.. _steady.Select((m, i) => (m.Viewer.Bytes - atStart[i]) * 8 / 1000.0 / seconds).Order()];
        _guests.CloseWindow(seconds);
        double rssAfter = _server.ResidentMegabytes();
        PassUntil(_clock.Elapsed.TotalSeconds + Remainder);
        while (_guests.Awaits(_clock.Elapsed.TotalSeconds)) Pass();
        var sessions = SessionList.Read(_plan.Sessions);
        var visitors = _guests.Report(sessions);
        _guests.Leave();
        return new CrowdWindow
        {
            Guests = hasGuests,
            Seconds = seconds,
            Delivery = _times.Close(),
            Steady = _plan.Steady,
            Started = _steady.Count(static m => m.Viewer.Started),
            Deaths = _steady.Where(static m => m.Viewer.Reason is not null).CountBy(static m => m.Viewer.Reason!).ToDictionary(),
            MostStarved = starved,
            SteadyJumps = Jumps() - jumps,
            SlowestKbps = kbps.Length > 0 ? kbps[0] : double.NaN,
            FastestKbps = kbps.Length > 0 ? kbps[^1] : double.NaN,
            Gbit = (after.Bytes - before.Bytes) * 8 / 1e9,
            ServerCpu = after.ServerCpu - before.ServerCpu,
            CoreBusy = after.CoreBusy - before.CoreBusy,
            OwnCpu = after.OwnCpu - before.OwnCpu,
            Stolen = (after.Stolen - before.Stolen) / seconds,
            RssBeforeMb = rss,
            RssMb = rssAfter,
            Visitors = visitors,
            SteadySkips = sessions.SteadySkips,
        };
    }

    private int Jumps() => _steady.Sum(static m => m.Check?.Jumps ?? 0);

    private int CountStarved()
    {
        int starved = 0;
        foreach (var member in _steady)
        {
            if (member.Viewer.Alive && member.Viewer.Bytes == member.Viewer.BytesBefore) starved++;
            member.Viewer.BytesBefore = member.Viewer.Bytes;
        }

        return starved;
    }

    private void PassUntil(double time)
    {
        while (_clock.Elapsed.TotalSeconds < time) Pass();
    }

    private void Pass()
    {
        double now = _clock.Elapsed.TotalSeconds;
        Serve(_prompt, _prompt.Wait((int)Math.Clamp(Math.Ceiling((_nextPace - now) * 1000), 0, _plan.PaceMs)));
        now = _clock.Elapsed.TotalSeconds;
        _guests.Turn(now);
        if (now < _nextPace) return;
        _nextPace = now + (_plan.PaceMs / 1000.0);
        int count = _paced.Wait(0);
        for (int i = 0; i < count; i++)
        {
            Serve(_paced, i, i + 1);
            if (i % Slice == Slice - 1) Serve(_prompt, _prompt.Wait(0));
        }
    }

    private void Serve(EpollSet set, int count) => Serve(set, 0, count);

    private void Serve(EpollSet set, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            var (tag, events) = set.Get(i);
            if (_members[tag] is not { } member || !member.Viewer.Alive) continue;
            _bytes += member.Viewer.OnEvent(set, tag, events, _scratch);
            if (member.Role != CrowdRole.Steady) _guests.OnServed(member);
        }
    }

    private sealed record Sample(double Time, long Bytes, double ServerCpu, double CoreBusy, double OwnCpu, double Stolen)
    {
        public static Sample Take(Crowd crowd) => new(
            crowd._clock.Elapsed.TotalSeconds, crowd._bytes, crowd._server.CpuSeconds(),
            ProcessProbe.CoreBusySeconds(crowd._plan.WatchCore), Environment.CpuUsage.TotalTime.TotalSeconds,
            ProcessProbe.StolenSeconds());
    }
}
