using Millrace.Configuration;

namespace Millrace.Tests.Configuration;

public sealed class UnitsTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    [InlineData("50ms", 50)]
    [InlineData("2s", 2000)]
    [InlineData("2 s", 2000)]
    [InlineData("1.5s", 1500)]
    [InlineData("3m", 180_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("2d", 172_800_000)]
    public void A_duration_is_a_number_with_a_unit(string text, long milliseconds)
    {
        Units.TryParseDuration(text, out var value, out _).ShouldBeTrue();
        value.ShouldBe(TimeSpan.FromMilliseconds(milliseconds));
    }

    [Theory]
    [InlineData("60", "'60' has no unit: write 60ms, 60s, 60m or 60h")]
    [InlineData("", "'' is not a duration")]
    [InlineData("s", "'s' is not a duration")]
    [InlineData("-1s", "'-1s' is not a duration")]
    [InlineData("1y", "'1y' is not a duration")]
    [InlineData("1S", "'1S' is not a duration")]
    [InlineData("1m30s", "'1m30s' is not a duration")]
    [InlineData("1.2.3s", "'1.2.3s' is not a duration")]
    [InlineData("9999999999999999d", "'9999999999999999d' is not a duration")]
    [InlineData("99999999999999999s", "'99999999999999999s' is not a duration")]
    public void Another_duration_is_refused_with_the_reason(string text, string reason)
    {
        Units.TryParseDuration(text, out _, out var error).ShouldBeFalse();
        error.ShouldStartWith(reason);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("512", 512)]
    [InlineData("512B", 512)]
    [InlineData("1K", 1024)]
    [InlineData("16KB", 16_384)]
    [InlineData("1MB", 1_048_576)]
    [InlineData("512mb", 536_870_912)]
    [InlineData("1.5 MiB", 1_572_864)]
    [InlineData("2G", 2_147_483_648)]
    public void A_size_is_bytes_or_a_number_with_a_unit_of_1024(string text, long bytes)
    {
        Units.TryParseSize(text, out var value, out _).ShouldBeTrue();
        value.ShouldBe(bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MB")]
    [InlineData("-1")]
    [InlineData("1TB")]
    [InlineData("0.3")]
    [InlineData("9999999999999999GB")]
    public void Another_size_is_refused_with_the_forms_there_are(string text)
    {
        Units.TryParseSize(text, out _, out var error).ShouldBeFalse();
        error.ShouldBe($"'{text}' is not a size: {Units.SizeHint}");
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(30, "30ms")]
    [InlineData(1500, "1500ms")]
    [InlineData(10_000, "10s")]
    [InlineData(60_000, "1m")]
    [InlineData(90_000, "90s")]
    [InlineData(7_200_000, "2h")]
    [InlineData(86_400_000, "1d")]
    public void A_duration_is_printed_in_its_largest_whole_unit(long milliseconds, string text) =>
        Units.Format(TimeSpan.FromMilliseconds(milliseconds)).ShouldBe(text);

    [Theory]
    [InlineData("60", 60_000)]
    [InlineData("60s", 60_000)]
    [InlineData("3m", 180_000)]
    [InlineData("1ms", 1)]
    [InlineData("1h 30m", 5_400_000)]
    [InlineData("1h30m5", 5_405_000)]
    [InlineData("1M", 2_592_000_000)]
    public void Nginx_counts_time_in_seconds_where_no_unit_is_given(string text, long milliseconds)
    {
        NginxUnits.TryParseDuration(text, out var value).ShouldBeTrue();
        value.ShouldBe(TimeSpan.FromMilliseconds(milliseconds));
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("1.5s")]
    [InlineData("30m 1h")]
    [InlineData("1s 1s")]
    [InlineData("9999999999999s")]
    public void Nginx_refuses_other_durations(string text) => NginxUnits.TryParseDuration(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData("1048576", 1_048_576)]
    [InlineData("4k", 4096)]
    [InlineData("1M", 1_048_576)]
    [InlineData("1g", 1_073_741_824)]
    [InlineData("1MB", -1)]
    [InlineData("", -1)]
    public void Nginx_sizes_have_one_letter(string text, long bytes)
    {
        NginxUnits.TryParseSize(text, out var value).ShouldBe(bytes >= 0);
        value.ShouldBe(Math.Max(0, bytes));
    }
}
