using Millrace.Streams.Cuts;
using Millrace.Streams.Log;

namespace Millrace.Streams.Tests.Cuts;

/// <summary>
/// Each break of the media is one discontinuity, on the segment that begins with it, whatever else begins or fails at the
/// same place. <c>6!</c> is a segment that begins at 6 s behind a discontinuity.
/// </summary>
public sealed class DiscontinuityTests
{
    private static readonly Dictionary<string, (Func<PlannerRun, PlannerRun> Do, string Playlist)> Table = new()
    {
        ["another size in the middle of a segment"] = (static run => run.Config(8).Picture(8), "0 6 8!"),
        ["other parameters of the same size"] = (static run => run.Config(8, isBreak: false).Picture(8), "0 6 8"),
        ["another size where the parameters of sound have just begun a segment"] = (static run => run.Config(8, isLeading: false, isBreak: false).Config(8).Picture(8), "0 6 8!"),
        ["another size behind a picture that sound has begun a segment after"] = (static run => run.Config(8.02, isLeading: false, isBreak: false).Config(8).Picture(8), "0 6 8.02!"),
        ["parameters of sound where another size has just begun a segment"] = (static run => run.Config(8).Config(8, isLeading: false, isBreak: false).Picture(8), "0 6 8!"),
        ["another size of two tracks at once"] = (static run => run.Config(8).Config(8, isLeading: false).Picture(8), "0 6 8!"),
        ["another size of two tracks, the leading one's picture in between"] = (static run => run.Config(8).Picture(8).Config(8, isLeading: false).Picture(8.04, false), "0 6 8!"),
        ["another size of the second track at a segment's first picture"] = (static run => run.Picture(8).Picture(10).Picture(12).Config(12, isLeading: false).Picture(12.04, false), "0 6 12!"),
        ["another size of the second track shortly behind a segment's beginning"] = (static run => run.Picture(8).Picture(10).Picture(12).Config(12.3, isLeading: false).Picture(14).Picture(16).Picture(18), "0 6 12 18!"),
        ["another size twice"] = (static run => run.Config(8).Picture(8).Config(8.04).Picture(8.04), "0 6 8! 8.04!"),
        ["another size before the first picture of an Era"] = (static run => run.Pause(8).NextEra(9).Config(9).Picture(9), "0 6 9!"),
        ["a hole of minutes"] = (static run => run.Picture(100), "0 6 100!"),
        ["another size behind a hole of minutes"] = (static run => run.Config(100).Picture(100), "0 6 100!"),
        ["another size before a hole of minutes, its picture refused"] = (static run => run.Config(8).Picture(8, isAppended: false).Picture(100), "0 6 100!"),
        ["another size, its picture refused"] = (static run => run.Config(8).Picture(8, isAppended: false).Picture(8.04, false).Picture(8.08), "0 6 8!"),
        ["another size, its picture refused, and the publisher goes"] = (static run => run.Config(8).Picture(8, isAppended: false).Pause(8).NextEra(9).Picture(9), "0 6 9!"),
        ["another size, again in the next picture, which sound may have come before, and all are refused"] = (static run => run.Config(8).Picture(8, isAppended: false).Config(8.04).Picture(8.04, isAppended: false).Pause(8.04).NextEra(9).Picture(9), "0 6 8! 9!"),
        ["an Era whose first picture is refused"] = (static run => run.Pause(8).NextEra(9).Picture(9, isAppended: false).Pause(9).NextEra(11).Picture(11), "0 6 11!"),
        ["an Era whose first picture is refused and whose second is not"] = (static run => run.Pause(8).NextEra(9).Picture(9, isAppended: false).Picture(9.04, false).Picture(9.08), "0 6 9!"),
        ["two Eras"] = (static run => run.Pause(8).NextEra(9).Picture(9).Picture(9.04, false).Pause(9.08).NextEra(11).Picture(11), "0 6 9! 11!"),
        ["another size behind pictures that have stalled"] = (static run => run.Other(10).Other(12).Other(16).Config(12.4).Picture(12.4), "0 6 12.49!"),
        ["a publisher that goes where another size has just begun a segment"] = (static run => run.Config(8).Picture(8).Pause(8).NextEra(9).Picture(9), "0 6 8! 9!"),
    };

    public static TheoryData<string> Cases => [.. Table.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_break_is_one_discontinuity(string name)
    {
        var run = new PlannerRun(PlannerRun.WithoutParts).Feed(8, static i => i % 50 == 0);
        Table[name].Do(run).Playlist.ShouldBe(Table[name].Playlist);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void With_parts_it_is_the_same_number(string name)
    {
        var run = new PlannerRun(new CutRule()).Feed(8, static i => i % 50 == 0);
        Table[name].Do(run).Playlist.Count(static c => c == '!').ShouldBe(Table[name].Playlist.Count(static c => c == '!'));
    }

    [Fact]
    public void A_numbering_that_goes_on_from_the_clock_begins_with_one_discontinuity_though_the_first_picture_is_refused()
    {
        var run = new PlannerRun(PlannerRun.WithoutParts, firstNumber: 71_000_000).Picture(0, isAppended: false).NextEra(2).Picture(2);
        run.Playlist.ShouldBe("2!");
        run.Segments[^1].Number.ShouldBe(71_000_001);
    }

    [Fact]
    public void Whatever_comes_and_fails_numbers_and_discontinuities_agree_and_borders_never_go_back()
    {
        foreach (var seed in Enumerable.Range(0, 2_000))
        {
            var random = new Random(seed);
            var run = new PlannerRun(new CutRule { PartMicros = random.Next(2) * 500_000, Mode = (CutMode)random.Next(3), IsStrict = random.Next(4) == 0 });
            var (pictures, sound) = (0.0, 0.0);
            for (var i = 0; i < 300; i++)
            {
                var step = random.Next(40) == 0 ? random.Next(100) : 0.04;
                switch (random.Next(24))
                {
                    case 0:
                        run.Config(pictures += step, isBreak: random.Next(2) == 0).Picture(pictures, isAppended: random.Next(4) > 0);
                        break;
                    case 1:
                        run.Config(sound, isLeading: false, isBreak: random.Next(2) == 0);
                        break;
                    case 2:
                        pictures = sound = Math.Max(pictures + 0.04, sound);
                        run.Pause(pictures).NextEra(pictures += step);
                        break;
                    case < 8:
                        run.Other(sound += step * 3);
                        break;
                    default:
                        run.Picture(pictures += step, random.Next(20) == 0, isAppended: random.Next(20) > 0);
                        break;
                }
            }

            Should.NotThrow(() => run.Playlist, $"seed {seed}");
            ShouldBeInOrder(run, seed);
        }
    }

    /// <summary>Parts lie behind the beginning of their segment, one behind the other, numbered from 0.</summary>
    private static void ShouldBeInOrder(PlannerRun run, int seed)
    {
        var (border, part, era) = (long.MinValue, 0L, 0);
        foreach (var mark in run.Marks)
        {
            var isAhead = mark.Mark.Kind == MarkKind.PartEnd || mark.EraNumber == era ? mark.DtsMicros >= border : mark.DtsMicros >= 0;
            isAhead.ShouldBeTrue($"seed {seed}: {mark.Mark} at {mark.DtsMicros} behind {border}");
            if (mark.Mark.Kind == MarkKind.PartEnd)
                (mark.Mark.Number, mark.DtsMicros > border, mark.Mark.IsBreak).ShouldBe((part, true, false), $"seed {seed}: part at {mark.DtsMicros} behind {border}");
            (border, part, era) = (mark.DtsMicros, mark.Mark.Kind == MarkKind.PartEnd ? part + 1 : 0, mark.EraNumber);
        }
    }
}
