using Millrace.Bench.Measure;

namespace Millrace.Bench.Hls;

/// <summary>
/// LL-HLS viewers as hls.js is one: for each rendition a playlist request that waits for the next part; when it is answered the part is
/// asked for, and at once the next playlist. One viewer alone first, then all of them.
/// </summary>
internal sealed class SteadyRun(SteadyPlan plan) : IDisposable
{
    private const int QuietMs = 60;
    private const double AnswerSeconds = 20; // longer than a server may hold a request: three target durations

    private readonly GetterSet _set = new(plan.Port, keepsBodies: true, stamps: true);
    private readonly ProcessProbe _server = new(plan.Watch);
    private readonly SteadyTrack[] _tracks = [.. plan.Paths.Select(path => new SteadyTrack(plan, path))];
    private readonly List<Follower> _followers = [];
    private readonly int _perFollower = plan.IsSplit ? 2 : 1;
    private long _answers;
    private bool _ends;

    public SteadyReport Run()
    {
        Admit(1);
        _set.Connect(_followers.Count * _perFollower, plan.Ramp);
        for (int i = 0; i < _tracks.Length; i++) Begin(_tracks[i], _followers[i]);
        foreach (var follower in _followers) Start(follower);
        var alone = PassParts(plan.Parts);
        double before = ResidentKb();

        _ends = true; // the one alone takes part in what follows like the others, from the same start
        Drain();
        Admit(plan.Viewers);
        _set.Connect(_followers.Count * _perFollower, plan.Ramp);
        for (int i = 0; i < _tracks.Length; i++) Begin(_tracks[i], _followers[i]);
        _ends = false;
        foreach (var follower in _followers) Start(follower);
        PassParts(plan.WarmupParts);

        var start = Take();
        var window = PassParts(plan.Parts);
        var end = Take();
        AwaitParts(window);
        return new SteadyReport
        {
            Viewers = plan.Viewers,
            Connections = _set.All.Count,
            Renditions = [.. _tracks.Select((track, i) => ToRendition(track, alone[i], window[i]))],
            RssBeforeKb = before,
            RssLargestKb = end.Rss,
            Seconds = end.Time - start.Time,
            Gbit = (end.Bytes - start.Bytes) * 8 / 1e9,
            Answers = end.Answers - start.Answers,
            ServerCpu = end.ServerCpu - start.ServerCpu,
            CoreBusy = end.CoreBusy - start.CoreBusy,
            OwnCpu = end.OwnCpu - start.OwnCpu,
            Faults = _set.Faults,
        };
    }

    public void Dispose() => _set.Dispose();

    private void Admit(int viewers)
    {
        while (_followers.Count < viewers * _tracks.Length) _followers.Add(new Follower(_tracks[_followers.Count % _tracks.Length], _followers.Count));
    }

    private Getter PlaylistGetter(Follower follower) => _set.All[follower.Number * _perFollower];

    private Getter PartGetter(Follower follower) => _set.All[(follower.Number * _perFollower) + _perFollower - 1];

    /// <summary>Asks for the playlist as it is now.</summary>
    private void Begin(SteadyTrack track, Follower follower)
    {
        var getter = PlaylistGetter(follower);
        getter.KeepsBody = true;
        getter.Ask(GetterSet.Request(plan.Port, plan.Paths[Array.IndexOf(_tracks, track)], plan.Gzip));
        double limit = _set.Now + AnswerSeconds;
        while (getter.Busy) Step(limit, static _ => { });
        track.Begin(getter.Body.Span);
    }

    private void Start(Follower follower)
    {
        (follower.Round, follower.Fetched) = (follower.Track.Rounds.Count - 1, follower.Track.Parts.Count);
        follower.Known = follower.Fetched;
        AskPlaylist(follower);
    }

    /// <summary>Goes on until each rendition has so many more parts; gives which.</summary>
    private Range[] PassParts(int count)
    {
        int[] from = [.. _tracks.Select(static t => t.Parts.Count)];
        int known = 0;
        double limit = _set.Now + AnswerSeconds;
        while (_tracks.Where((t, i) => t.Parts.Count < from[i] + count).Any())
        {
            Step(limit, OnAnswer);
            if (known == _tracks[0].Parts.Count) continue;
            known = _tracks[0].Parts.Count;
            limit = _set.Now + AnswerSeconds;
        }

        return [.. from.Select(f => f..(f + count))];
    }

    /// <summary>Whoever still lacks a measured part gets some time for it.</summary>
    private void AwaitParts(Range[] window)
    {
        double limit = _set.Now + AnswerSeconds;
        while (_set.Now < limit && _set.All.All(static g => g.Alive) && _followers.Exists(f => f.Fetched < window[Array.IndexOf(_tracks, f.Track)].End.Value)) _set.Pass(QuietMs, OnAnswer);
    }

    private void Drain()
    {
        double limit = _set.Now + AnswerSeconds;
        while (_set.All.Any(static g => g.Busy)) Step(limit, OnAnswer);
    }

    private void OnAnswer(Getter getter)
    {
        var follower = _followers[getter.Number / _perFollower];
        _answers++;
        if (follower.IsFetching && getter == PartGetter(follower)) TakePart(follower, getter);
        else TakePlaylist(follower, getter);
    }

    private void TakePlaylist(Follower follower, Getter getter)
    {
        double now = _set.ArrivedAt(getter);
        var track = follower.Track;
        var round = track.Rounds[follower.Round];
        if (double.IsNaN(round.Ready)) track.Answered(getter.Body.Span, now, getter.ArrivedUnix);
        round.Times.Add(now - round.Ready);
        follower.Known = round.KnownParts;
        follower.Round++;
        if (!follower.IsFetching) AskPart(follower);
        if (plan.IsSplit || !follower.IsFetching) AskPlaylist(follower);
    }

    private void TakePart(Follower follower, Getter getter)
    {
        var part = follower.Track.Parts[follower.Fetched];
        part.Times.Add(_set.ArrivedAt(getter) - part.Ready);
        if (part.Times.Count == plan.Viewers) part.OwnCpu = Environment.CpuUsage.TotalTime.TotalSeconds - part.OwnCpu;
        if (part.Length == 0) part.Length = getter.BodyLength;
        if (part.Length != getter.BodyLength) throw new InvalidOperationException($"a part of {part.Length} bytes came with {getter.BodyLength}");
        follower.Fetched++;
        follower.IsFetching = false;
        AskPart(follower);
        if (!plan.IsSplit && !follower.IsFetching) AskPlaylist(follower);
    }

    private void AskPart(Follower follower)
    {
        if (follower.Fetched == follower.Known) return;
        follower.IsFetching = true;
        var getter = PartGetter(follower);
        getter.KeepsBody = false;
        getter.Ask(follower.Track.Parts[follower.Fetched].Request);
    }

    private void AskPlaylist(Follower follower)
    {
        if (_ends) return;
        var getter = PlaylistGetter(follower);
        getter.KeepsBody = true;
        getter.Ask(follower.Track.Rounds[follower.Round].Request);
    }

    private void Step(double limit, Action<Getter> onAnswer)
    {
        _set.Pass(QuietMs, onAnswer);
        if (_set.Now <= limit && _server.Alive) return;
        throw new InvalidOperationException($"answers did not come: {string.Join("; ", _set.Faults.Select(static f => $"{f.Value}x {f.Key}"))}");
    }

    private SteadyReport.Rendition ToRendition(SteadyTrack track, Range alone, Range window)
    {
        var one = track.Parts.Take(alone).ToList();
        var all = track.Parts.Take(window).ToList();
        double[] ages = [.. one.Select(static p => p.Age).Order()];
        double age = Summary.Percentile(ages, 0.5);
        var rounds = track.Rounds.Where(r => r.Ready >= all[0].Ready && r.Ready <= all[^1].Ready);
        return new SteadyReport.Rendition(
            track.Name, all.Average(static p => p.Length), track.PlaylistBytes,
            SteadyReport.Spread.Of(rounds.SelectMany(static r => r.Times)),
            SteadyReport.Spread.Of(all.SelectMany(static p => p.Times)),
            SteadyReport.Spread.Of(all.SelectMany(p => p.Times.Select(t => t + p.Age - age))),
            SteadyReport.Spread.Of(ages),
            SteadyReport.Spread.Of(one.SelectMany(static p => p.Times)),
            Summary.Percentile([.. all.Select(static p => p.OwnCpu / p.Times.Max()).Order()], 0.5),
            ((long)plan.Viewers * all.Count) - all.Sum(static p => p.Times.Count));
    }

    private double ResidentKb() => _server.ResidentMegabytes() * 1024;

    private Sample Take() => new(
        _set.Now, _answers, _set.All.Sum(static g => g.Bytes), ResidentKb(), _server.CpuSeconds(),
        plan.WatchCore >= 0 ? ProcessProbe.CoreBusySeconds(plan.WatchCore) : 0, Environment.CpuUsage.TotalTime.TotalSeconds);

    private sealed record Sample(double Time, long Answers, long Bytes, double Rss, double ServerCpu, double CoreBusy, double OwnCpu);

    /// <summary>One rendition of one viewer.</summary>
    private sealed class Follower(SteadyTrack track, int number)
    {
        public SteadyTrack Track { get; } = track;
        public int Number { get; } = number;

        /// <summary>Of <see cref="SteadyTrack.Rounds"/>: the playlist that it waits for.</summary>
        public int Round { get; set; }

        /// <summary>Parts that its playlists have named.</summary>
        public int Known { get; set; }

        /// <summary>Parts that it has.</summary>
        public int Fetched { get; set; }

        /// <summary>A part has been asked for.</summary>
        public bool IsFetching { get; set; }
    }
}
