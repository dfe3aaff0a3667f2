using System.Globalization;
using System.IO.Compression;
using System.Text;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Hls;

/// <summary>
/// Blocked playlist requests: one connection alone, then all of them idle, then all of them waiting for a part far ahead (for
/// the memory of a waiter), then part after part, each connection asking for the next part as soon as it has one.
/// </summary>
internal sealed class WaitersRun(WaitersPlan plan) : IDisposable
{
    private const double RestSeconds = 2; // before memory is looked at
    private const int QuietMs = 60;
    private const double AnswerSeconds = 20; // longer than a server may hold a request: three target durations
    private const int EarlyPart = 2; // the segment has several parts to go

    private readonly GetterSet _set = new(plan.Port, keepsBodies: true, stamps: true);
    private readonly ProcessProbe _server = new(plan.Watch);
    private readonly List<Getter> _answered = [];
    private double _rssLargest;
    private int _skipped;
    private long _playlistBytes;

    public WaitersReport Run()
    {
        _set.Connect(1, plan.Ramp);
        var playlist = AskAll(GetterSet.Request(plan.Port, plan.Path, plan.Gzip));
        var alone = new List<WaitersReport.PartTimes>();
        FollowParts(playlist, plan.Parts, alone);
        double before = Rest();

        _set.Connect(plan.Waiters, plan.Ramp);
        AskAll(GetterSet.Request(plan.Port, plan.Path, plan.Gzip));
        double idle = Rest();
        playlist = UntilEarlyInSegment();
        double blocked = 0;
        playlist = AskAll(Blocking(playlist.NextSegment + 1, 0), () => blocked = Rest());

        var warmup = new List<WaitersReport.PartTimes>();
        var parts = new List<WaitersReport.PartTimes>();
        playlist = FollowParts(playlist, plan.WarmupParts, warmup);
        (_rssLargest, _skipped) = (0, 0);
        var (start, server, own) = (_set.Now, _server.CpuSeconds(), Environment.CpuUsage.TotalTime);
        FollowParts(playlist, plan.Parts, parts);
        return new WaitersReport
        {
            Waiters = plan.Waiters,
            PlaylistBytes = _playlistBytes,
            RssBeforeKb = before,
            RssIdleKb = idle,
            RssBlockedKb = blocked,
            RssLargestKb = _rssLargest,
            AloneAges = [.. alone.Select(static p => p.LastAge)],
            WarmupParts = warmup,
            Parts = parts,
            Skipped = _skipped,
            Seconds = _set.Now - start,
            ServerCpu = _server.CpuSeconds() - server,
            OwnCpu = (Environment.CpuUsage.TotalTime - own).TotalSeconds,
            Faults = _set.Faults,
        };
    }

    public void Dispose() => _set.Dispose();

    /// <summary>All connections ask the same; gives the first answer when all have come.</summary>
    private MediaPlaylistText AskAll(byte[] request, Action? onAsked = null)
    {
        foreach (var getter in _set.All) getter.Ask(request);
        onAsked?.Invoke();
        MediaPlaylistText? first = null;
        int left = _set.All.Count;
        double limit = _set.Now + AnswerSeconds;
        _set.Pass(0, Take);
        if (onAsked is not null && left < _set.All.Count) throw new InvalidOperationException("requests were answered before their memory was looked at");
        while (left > 0) Step(limit, Take);
        return first!;

        void Take(Getter getter)
        {
            first ??= Read(getter);
            left--;
        }
    }

    private MediaPlaylistText UntilEarlyInSegment()
    {
        byte[] request = GetterSet.Request(plan.Port, plan.Path, plan.Gzip);
        MediaPlaylistText? playlist = null;
        double limit = _set.Now + AnswerSeconds;
        while (playlist is null || playlist.NextPart > EarlyPart)
        {
            Thread.Sleep(50);
            _set.All[0].Ask(request);
            bool isAnswered = false;
            while (!isAnswered)
            {
                Step(limit, getter =>
                {
                    isAnswered = true;
                    playlist = Read(getter);
                });
            }
        }

        return playlist;
    }

    /// <summary>Part after part from the one that comes next; each connection asks for the next as soon as it has its answer.</summary>
    private MediaPlaylistText FollowParts(MediaPlaylistText playlist, int count, List<WaitersReport.PartTimes> into)
    {
        List<Round> rounds = [new Round(playlist)];
        byte[] request = Blocking(playlist.NextSegment, playlist.NextPart);
        foreach (var getter in _set.All)
        {
            getter.Round = 0;
            getter.Ask(request);
        }

        int all = _set.All.Count, sampled = 0;
        double limit = _set.Now + AnswerSeconds;
        while (rounds.Count <= count || rounds[count - 1].Times.Count < all)
        {
            int known = rounds.Count;
            bool isQuiet = Step(limit, getter => OnAnswer(getter, rounds)) == 0;
            AskAgain(rounds, count);
            if (rounds.Count > known) limit = _set.Now + AnswerSeconds;
            if (!isQuiet || sampled == known) continue;
            // Nothing has come for a while: all of them wait.
            sampled = known;
            _rssLargest = Math.Max(_rssLargest, ResidentKb());
        }

        into.AddRange(rounds.Take(count).Select(static r => r.ToTimes()));
        return rounds[count].Asked;
    }

    private void OnAnswer(Getter getter, List<Round> rounds)
    {
        var round = rounds[getter.Round];
        if (round.Times.Count == 0)
        {
            round.OwnCpu = OwnCpuMs();
            var next = Read(getter);
            round.EndUnix = next.EndUnix;
            if (rounds.Count - 1 == getter.Round) rounds.Add(new Round(next));
            if (getter.Round > 0 && rounds[getter.Round - 1].Times.Count < _set.All.Count) _skipped++;
        }

        round.Times.Add(getter.ArrivedUnix);
        if (round.Times.Count == _set.All.Count) round.OwnCpu = OwnCpuMs() - round.OwnCpu;
        _answered.Add(getter);
    }

    // After all that has arrived has been taken, so that an answer's time has no request of ours in it.
    private void AskAgain(List<Round> rounds, int count)
    {
        if (plan.AsksTogether && _answered.Count < _set.All.Count) return;
        foreach (var getter in _answered)
        {
            if (++getter.Round >= count) continue;
            var asked = rounds[getter.Round].Asked;
            getter.Ask(rounds[getter.Round].Request ??= Blocking(asked.NextSegment, asked.NextPart));
        }

        _answered.Clear();
    }

    private int Step(double limit, Action<Getter> onAnswer)
    {
        int events = _set.Pass(QuietMs, onAnswer);
        if (_set.Now <= limit && _server.Alive) return events;
        throw new InvalidOperationException($"answers did not come: {string.Join("; ", _set.Faults.Select(static f => $"{f.Value}x {f.Key}"))}");
    }

    private double Rest()
    {
        Thread.Sleep(TimeSpan.FromSeconds(RestSeconds));
        return ResidentKb();
    }

    private static double OwnCpuMs() => Environment.CpuUsage.TotalTime.TotalMilliseconds;

    private double ResidentKb() => _server.ResidentMegabytes() * 1024;

    private byte[] Blocking(long segment, int part) =>
        GetterSet.Request(plan.Port, string.Create(CultureInfo.InvariantCulture, $"{plan.Path}?_HLS_msn={segment}&_HLS_part={part}"), plan.Gzip);

    private MediaPlaylistText Read(Getter getter)
    {
        _playlistBytes = getter.Body.Length;
        if (!plan.Gzip) return MediaPlaylistText.Parse(Encoding.UTF8.GetString(getter.Body.Span));
        using var gzip = new GZipStream(new MemoryStream(getter.Body.ToArray()), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        return MediaPlaylistText.Parse(reader.ReadToEnd());
    }

    /// <summary>The answers to one question.</summary>
    private sealed class Round(MediaPlaylistText asked)
    {
        /// <summary>The playlist before it, which says what is asked for.</summary>
        public MediaPlaylistText Asked { get; } = asked;
        public byte[]? Request { get; set; }

        /// <summary>When each answer came, seconds of Unix time.</summary>
        public List<double> Times { get; } = [];
        public double EndUnix { get; set; }

        /// <summary>CPU time at the first answer, ms; from the last on what passed in between.</summary>
        public double OwnCpu { get; set; }

        public WaitersReport.PartTimes ToTimes()
        {
            double first = Times.Min();
            double[] after = [.. Times.Select(t => (t - first) * 1000).Order()];
            double firstAge = (first - EndUnix) * 1000;
            return new WaitersReport.PartTimes(
                Asked.NextSegment, Asked.NextPart, Summary.Percentile(after, 0.5), Summary.Percentile(after, 0.95), Summary.Percentile(after, 0.99), after[^1], firstAge, firstAge + after[^1], OwnCpu);
        }
    }
}
