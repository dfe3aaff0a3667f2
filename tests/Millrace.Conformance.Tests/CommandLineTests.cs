namespace Millrace.Conformance.Tests;

/// <summary>`llhls URL …`.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public void An_address_is_enough()
    {
        CommandLine.TryParse(["https://h:8443/live/x/llhls.m3u8"], out var command, out _).ShouldBeTrue();
        command!.Time.ShouldBe(TimeSpan.FromSeconds(180));
        command.Options.ShouldSatisfyAllConditions(o => o.Insecure.ShouldBeFalse(), o => o.UntilEnd.ShouldBeFalse());
    }

    [Fact]
    public void Options_follow_it()
    {
        CommandLine.TryParse(["http://h/x", "--seconds", "20", "--insecure", "--until-end", "--tolerance", "400"], out var command, out _).ShouldBeTrue();
        command!.Time.ShouldBe(TimeSpan.FromSeconds(20));
        (command.Options.Insecure, command.Options.UntilEnd, command.Options.Tolerance.TotalMilliseconds).ShouldBe((true, true, 400));
    }

    [Theory]
    [InlineData]
    [InlineData("x.m3u8")]
    [InlineData("ftp://h/x")]
    [InlineData("http://h/x", "--seconds")]
    [InlineData("http://h/x", "--seconds", "-1")]
    [InlineData("http://h/x", "--fast")]
    public void Anything_else_is_refused(params string[] args) => CommandLine.TryParse(args, out _, out _).ShouldBeFalse();
}
