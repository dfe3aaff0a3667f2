namespace Millrace.Node.Tests;

/// <summary>What holds for a while, in a table that cannot grow. Times are microseconds.</summary>
public sealed class ExpiringEntriesTests
{
    private const int Most = 3;
    private const long Second = 1_000_000;

    private readonly ExpiringEntries<int, string> _entries = new(Most);

    [Fact]
    public void A_value_holds_up_to_its_time()
    {
        _entries.Set(1, "a", until: Second, now: 0);
        _entries.TryFind(1, Second - 1, out var value).ShouldBeTrue();
        value.ShouldBe("a");
        _entries.TryFind(1, Second, out _).ShouldBeFalse();
    }

    [Fact]
    public void Nothing_is_added_where_a_value_holds_and_what_is_over_makes_room_for_its_successor()
    {
        _entries.TryAdd(1, "a", until: Second, now: 0).ShouldBeTrue();
        _entries.TryAdd(1, "b", until: 2 * Second, now: Second - 1).ShouldBeFalse();
        _entries.TryAdd(1, "c", until: 2 * Second, now: Second).ShouldBeTrue();
        _entries.TryFind(1, Second, out var value).ShouldBeTrue();
        value.ShouldBe("c");
        _entries.Count.ShouldBe(1);
    }

    [Fact]
    public void A_full_table_keeps_what_it_has_and_takes_a_new_value_for_what_it_knows()
    {
        Fill(until: Second);
        _entries.Set(9, "new", until: Second, now: 0);
        _entries.TryAdd(10, "new", until: Second, now: 0).ShouldBeFalse();
        _entries.Set(1, "other", until: Second, now: 0);

        _entries.TryFind(9, 0, out _).ShouldBeFalse();
        _entries.TryFind(1, 0, out var value).ShouldBeTrue();
        value.ShouldBe("other");
        _entries.Count.ShouldBe(Most);
    }

    [Fact]
    public void What_is_over_leaves_a_full_table_but_that_is_looked_for_once_a_second_at_most()
    {
        Fill(until: Second / 2);
        _entries.TryAdd(9, "too early", until: 5 * Second, now: 0).ShouldBeFalse();
        _entries.TryAdd(9, "not looked yet", until: 5 * Second, now: Second - 1).ShouldBeFalse();
        _entries.TryAdd(9, "now", until: 5 * Second, now: Second).ShouldBeTrue();
        _entries.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Of_many_that_add_the_same_key_at_once_one_is_told_true()
    {
        for (var key = 0; key < Most; key++)
        {
            var added = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(() => _entries.TryAdd(key, $"{number}", Second, 0))));
            added.Count(static isOurs => isOurs).ShouldBe(1);
            _entries.Count.ShouldBe(key + 1);
        }
    }

    private void Fill(long until)
    {
        for (var key = 0; key < Most; key++)
            _entries.Set(key, "old", until, now: 0);
    }
}
