namespace Millrace.Media.Tests;

public sealed class TimeTests
{
    [Theory]
    [InlineData(24, 0xFFFFFEu, 0x000001u, 0x1000001)]
    [InlineData(24, 0x000001u, 0xFFFFFEu, -2)]
    [InlineData(24, 0x7FFFFFu, 0x800000u, 0x800000)]
    [InlineData(24, 0x000000u, 0x7FFFFFu, 0x7FFFFF)]
    [InlineData(24, 0x000000u, 0x800000u, -0x800000)]
    [InlineData(24, 0x000010u, 0xAB000020u, 0x20)]
    [InlineData(31, 0x7FFFFFFFu, 0x00000000u, 0x80000000)]
    [InlineData(31, 0x3FFFFFFFu, 0x40000000u, 0x40000000)]
    [InlineData(31, 0x00000000u, 0x7FFFFFFFu, -1)]
    [InlineData(32, 0xFFFFFFFFu, 0x00000000u, 0x1_0000_0000)]
    [InlineData(32, 0xFFFFFFF0u, 0x00000020u, 0x1_0000_0020)]
    [InlineData(32, 0x7FFFFFFFu, 0x80000000u, 0x80000000)]
    [InlineData(32, 0x00000000u, 0xFFFFFFFFu, -1)]
    [InlineData(32, 0x00000000u, 0x80000000u, -0x80000000L)]
    public void Unwraps_at_each_edge_of_the_width(int bits, uint first, uint second, long expected)
    {
        var unwrapper = new TimestampUnwrapper(bits);
        unwrapper.Unwrap(first).ShouldBe(first);
        unwrapper.Unwrap(second).ShouldBe(expected);
    }

    [Theory]
    [InlineData(24)]
    [InlineData(31)]
    [InlineData(32)]
    public void Unwrapping_stays_on_the_line_over_many_wraps_with_reordering(int bits)
    {
        var unwrapper = new TimestampUnwrapper(bits);
        var random = new Random(7);
        long truth = 12345;
        uint mask = (uint)((1L << bits) - 1);
        unwrapper.Unwrap((uint)truth & mask);
        for (int i = 0; i < 10_000; i++)
        {
            truth += random.NextInt64(-1000, 1L << (bits - 2));
            unwrapper.Unwrap((uint)(truth & mask)).ShouldBe(truth);
        }
    }

    [Fact]
    public void After_reset_the_next_value_stands_for_itself()
    {
        var unwrapper = new TimestampUnwrapper(32);
        unwrapper.Unwrap(uint.MaxValue);
        unwrapper.Reset();
        unwrapper.Unwrap(5).ShouldBe(5);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(33, 1)]
    public void Widths_outside_32_bits_are_a_bug_of_the_caller(int bits, uint value) =>
        Should.Throw<ArgumentOutOfRangeException>(() => new TimestampUnwrapper(bits).Unwrap(value));

    [Theory]
    [InlineData(0, 1000, 90_000, 0)]
    [InlineData(40, 1000, 90_000, 3600)]
    [InlineData(1, 90_000, 1000, 0)]
    [InlineData(44, 90_000, 1000, 0)]
    [InlineData(45, 90_000, 1000, 1)]
    [InlineData(-45, 90_000, 1000, 0)]
    [InlineData(-46, 90_000, 1000, -1)]
    [InlineData(1024, 44_100, 90_000, 2090)]
    [InlineData(-1024, 44_100, 90_000, -2090)]
    [InlineData(7, 48_000, 48_000, 7)]
    [InlineData(4_398_046_511_103, 1_000_000, 1_048_575, 4_611_681_620_380)]
    [InlineData(4_398_046_511_104, 1_000_000, 90_000, 395_824_185_999)]
    [InlineData(long.MaxValue, 1000, 1, 9_223_372_036_854_776)]
    [InlineData(long.MaxValue, 1, 1000, long.MaxValue)]
    [InlineData(long.MinValue, 1, 1000, long.MinValue)]
    [InlineData(long.MinValue, int.MaxValue, int.MaxValue - 1, -9_223_372_032_559_808_510)]
    public void Converts_to_the_nearest_tick_with_halves_up(long value, int from, int to, long expected) =>
        Timescale.Convert(value, from, to).ShouldBe(expected);
}
