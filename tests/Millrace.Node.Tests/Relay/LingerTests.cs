using Millrace.Node.Relay;

namespace Millrace.Node.Tests.Relay;

/// <summary>Who comes in the moment in which a fetched stream is let go.</summary>
public sealed class LingerTests
{
    private const long Second = 1_000_000;

    private readonly Linger _linger = new(10 * Second);

    [Fact]
    public void What_is_asked_for_is_kept_for_the_time_from_then_on()
    {
        _linger.TryTouch(Second).ShouldBeTrue();
        _linger.TryEnd(10 * Second, static () => true).ShouldBeFalse();
        _linger.TryTouch(8 * Second).ShouldBeTrue();
        _linger.TryEnd(17 * Second, static () => true).ShouldBeFalse();
        _linger.TryEnd(18 * Second, static () => true).ShouldBeTrue();
        _linger.TryTouch(18 * Second).ShouldBeFalse("it has gone");
    }

    [Fact]
    public void What_is_watched_after_all_is_kept()
    {
        _linger.TryTouch(0);
        _linger.TryEnd(20 * Second, static () => false).ShouldBeFalse();
        _linger.TryTouch(20 * Second).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_asks_while_it_is_let_go_hears_of_it_when_all_has_gone()
    {
        _linger.TryTouch(0);
        var (hasGone, sawItGone) = (false, false);
        var asked = Task.FromResult(true);

        _linger.TryEnd(20 * Second, () =>
        {
            asked = Task.Run(() =>
            {
                var isKept = _linger.TryTouch(20 * Second);
                sawItGone = Volatile.Read(ref hasGone);
                return isKept;
            });
            // There is no answer yet; this is the time for a wrong one.
            asked.Wait(TimeSpan.FromMilliseconds(200));
            Volatile.Write(ref hasGone, true);
            return true;
        }).ShouldBeTrue();

        (await asked).ShouldBeFalse();
        sawItGone.ShouldBeTrue();
    }

    [Fact]
    public void What_ends_for_another_reason_is_not_kept_for_who_asks()
    {
        _linger.TryTouch(0);
        _linger.End(static () => { });
        _linger.TryTouch(1).ShouldBeFalse();
        _linger.TryEnd(20 * Second, static () => throw new InvalidOperationException("it has gone already")).ShouldBeTrue();
    }
}
