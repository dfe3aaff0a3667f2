using Millrace.Node.Shards;

namespace Millrace.Node.Tests.Shards;

public sealed class MergePacerTests
{
    private const long Window = 30_000;

    [Theory]
    [InlineData(0)]
    [InlineData(Window)]
    [InlineData(1_000_000)]
    public void A_shard_that_keeps_up_keeps_its_windows(long window)
    {
        var pacer = new MergePacer(0);

        // Half its time is spent on passes, and each is through half a window after it was due.
        for (long now = 0; now < 10_000_000; now += 10_000)
        {
            pacer.OnPass(viewers: 100, delayMicros: MergePacer.LeastWindowMicros / 2, window).ShouldBeFalse();
            pacer.OnSent(5_000);
            pacer.OnTurn(now, sleptMicros: 5_000);
        }

        pacer.Factor.ShouldBe(1);
        pacer.Stretch(window).ShouldBe(window);
    }

    [Fact]
    public void A_full_shard_whose_passes_are_in_time_keeps_its_windows()
    {
        var pacer = new MergePacer(0);

        // Requests fill it, not viewers.
        for (long now = 0; now < 10_000_000; now += 10_000)
        {
            pacer.OnPass(viewers: 100, delayMicros: 2_000, Window);
            pacer.OnSent(1_000);
            pacer.OnTurn(now, sleptMicros: 0);
        }

        pacer.Factor.ShouldBe(1);
    }

    [Fact]
    public void A_shard_that_is_full_of_sending_stretches_its_windows_though_none_is_late()
    {
        var pacer = new MergePacer(0);

        for (long now = 0; now <= MergePacer.PeriodMicros; now += 10_000)
        {
            pacer.OnPass(viewers: 100, delayMicros: 5_000, Window);
            pacer.OnSent(6_000);
            pacer.OnTurn(now, sleptMicros: 500);
        }

        pacer.Factor.ShouldBe(MergePacer.Step);
    }

    [Fact]
    public void A_shard_that_is_full_of_input_stretches_windows_only_as_far_as_that_frees_time()
    {
        var pacer = new MergePacer(0);

        // Input takes 88 % and leaves the rest to 40 % worth of sends.
        for (long now = 0; now < 10_000_000; now += 10_000)
        {
            pacer.OnPass(viewers: 100, delayMicros: 10_000_000, Window);
            var sends = Math.Min(1_200, (long)(4_000 / pacer.Factor));
            pacer.OnSent(sends);
            pacer.OnTurn(now, sleptMicros: 1_200 - sends);
        }

        pacer.Factor.ShouldBeInRange(4 / MergePacer.Step, 4 * MergePacer.Step);
    }

    [Fact]
    public void A_few_viewers_that_are_late_stretch_nobodys_window()
    {
        var pacer = new MergePacer(0);

        for (long now = 0; now < 10_000_000; now += 10_000)
        {
            pacer.OnPass(viewers: 80, delayMicros: 2_000, Window);
            pacer.OnPass(viewers: 20, delayMicros: 2 * Window, Window).ShouldBeTrue();
            pacer.OnSent(4_000);
            pacer.OnTurn(now, sleptMicros: 0);
        }

        pacer.Factor.ShouldBe(1);
    }

    [Fact]
    public void Pressure_stretches_every_window_to_a_bound_and_no_further()
    {
        var pacer = new MergePacer(0);
        var before = pacer.Stretch(Window);

        for (long now = 0; now < 10_000_000; now += 10_000)
        {
            pacer.OnPass(viewers: 100, delayMicros: 10_000_000, Window).ShouldBeTrue();
            pacer.OnSent(4_000);
            pacer.OnTurn(now, sleptMicros: 0);
            pacer.Stretch(Window).ShouldBeInRange(before, (long)(before * MergePacer.Step) + 1);
            before = pacer.Stretch(Window);
        }

        pacer.Stretch(Window).ShouldBe(MergePacer.MaxWindowMicros);
        pacer.Stretch(0).ShouldBeInRange(MergePacer.MaxWindowMicros * 8 / 10, MergePacer.MaxWindowMicros);
        pacer.Stretch(2_000_000).ShouldBe(2_000_000);
    }

    [Fact]
    public void After_a_long_sleep_windows_are_as_configured_at_once()
    {
        var pacer = new MergePacer(0);
        for (long now = 0; now < 10_000_000; now += 10_000)
        {
            pacer.OnPass(viewers: 100, delayMicros: 10_000_000, Window);
            pacer.OnSent(9_000);
            pacer.OnTurn(now, sleptMicros: 0);
        }

        pacer.OnTurn(20_000_000, sleptMicros: 10_000_000);

        pacer.Factor.ShouldBe(1);
    }

    /// <summary>
    /// A shard in virtual time: streams of two viewers each, a send costs 5 µs whatever its length, and input takes a fixed share.
    /// 1,000 streams are 2,000 sends in 30 ms: a third of the time; 5,000 would need 167 %.
    /// </summary>
    [Theory]
    [InlineData(1_000, 1.0, 1.0)]
    [InlineData(2_500, 1.0, 1.25)]
    [InlineData(5_000, 1.9, 3.1)]
    [InlineData(10_000, 3.8, 6.2)]
    public void Windows_grow_as_far_as_the_work_needs_then_stand_still_and_come_back_when_it_is_gone(int streams, double least, double most)
    {
        var shard = new VirtualShard(streams, sendMicros: 5, inputShare: 0.1);

        shard.Run(10_000_000);
        var settled = shard.Pacer.Factor;
        settled.ShouldBeInRange(least, most);
        var (fewest, changes) = shard.RunAndWatch(10_000_000);

        changes.ShouldBe(0);
        // Nobody is left out: each stream has its pass at least every second window.
        fewest.ShouldBeGreaterThan((int)(10_000_000 / (2 * Window * settled)));

        shard.Streams = 100;
        shard.Run(10_000_000);
        shard.Pacer.Factor.ShouldBe(1);
    }

    private sealed class VirtualShard
    {
        private const long TurnSendMicros = 2_000;
        private readonly MergeRests<int> _rests;
        private readonly Queue<(int Stream, long Due)> _due = [];
        private readonly Dictionary<int, int> _passes = [];
        private readonly long _sendMicros;
        private readonly double _inputShare;
        private long _now;

        public VirtualShard(int streams, long sendMicros, double inputShare)
        {
            (Streams, _sendMicros, _inputShare) = (streams, sendMicros, inputShare);
            _rests = new MergeRests<int>(Pacer);
            for (var stream = 0; stream < streams; stream++)
                _due.Enqueue((stream, 0));
        }

        public MergePacer Pacer { get; } = new(0);

        /// <summary>Those with a higher number have ended.</summary>
        public int Streams { get; set; }

        public void Run(long micros)
        {
            for (var end = _now + micros; _now < end;)
                Turn();
        }

        public (int FewestPasses, int Changes) RunAndWatch(long micros)
        {
            _passes.Clear();
            var changes = 0;
            for (var end = _now + micros; _now < end;)
            {
                var before = Pacer.Factor;
                Turn();
                changes += before == Pacer.Factor ? 0 : 1;
            }

            return (_passes.Count < Streams ? 0 : _passes.Values.Min(), changes);
        }

        private void Turn()
        {
            var slept = _due.Count > 0 ? 0 : Math.Clamp(_rests.NextEnd() - _now, 1, 1_000);
            _now += slept;
            while (_rests.TryTake(_now, out var rested, out var ended))
            {
                if (rested < Streams)
                    _due.Enqueue((rested, ended));
            }

            var start = _now;
            while (_due.Count > 0 && _now - start <= TurnSendMicros)
            {
                var (stream, due) = _due.Dequeue();
                _rests.Add(stream, _now, Window);
                _now += 2 * _sendMicros;
                Pacer.OnPass(2, _now - due, Window);
                _passes[stream] = _passes.GetValueOrDefault(stream) + 1;
            }

            var sent = _now - start;
            Pacer.OnSent(sent);
            // Input comes at a steady pace, however long the turn was.
            _now += (long)((sent + slept) * _inputShare / (1 - _inputShare)) + 1;
            Pacer.OnTurn(_now, slept);
        }
    }
}
