using Millrace.Node.Access;
using Millrace.Node.Settings;
using Millrace.Streams;

namespace Millrace.Node.Tests.Access;

/// <summary>What the settings say about who may play and publish.</summary>
public sealed class AccessRulesTests
{
    private static readonly AccessSettings Protected = new() { Play = AccessMode.Token, PlayTokens = [new Secret("p1"), new Secret("p2")] };

    [Fact]
    public void By_default_everybody_may_do_everything()
    {
        var rules = new AccessRules(new NodeSettings());
        rules.IsPlayOpen.ShouldBeTrue();
        rules.Find(Of("live"), AccessAction.Play).ShouldBeNull();
        rules.Find(Of("live"), AccessAction.Publish).ShouldBeNull();
    }

    [Theory]
    [InlineData("token=p1", AccessOutcome.Allowed)]
    [InlineData("key=p2", AccessOutcome.Allowed)]
    [InlineData("token=p3", AccessOutcome.Denied)]
    [InlineData("token=p", AccessOutcome.Denied)]
    [InlineData("x=p1", AccessOutcome.Missing)]
    [InlineData("", AccessOutcome.Missing)]
    public void One_of_the_tokens_has_to_be_shown(string papers, object outcome) =>
        With(new VhostSettings { Access = Protected }).Find(Of("live"), AccessAction.Play)!.Judge(papers).Outcome.ShouldBe((AccessOutcome)outcome);

    [Fact]
    public void A_viewers_token_does_not_let_him_publish_nor_a_publishers_play()
    {
        var rules = With(new VhostSettings { Access = Protected with { Publish = AccessMode.Token, PublishTokens = [new Secret("s")] } });
        rules.Find(Of("live"), AccessAction.Publish)!.Judge("token=p1").IsAllowed.ShouldBeFalse();
        rules.Find(Of("live"), AccessAction.Publish)!.Judge("token=s").IsAllowed.ShouldBeTrue();
        rules.Find(Of("live"), AccessAction.Play)!.Judge("token=s").IsAllowed.ShouldBeFalse();
    }

    [Fact]
    public void An_app_differs_from_its_vhost_in_what_it_says_itself()
    {
        var rules = With(new VhostSettings
        {
            Access = Protected,
            Apps =
            [
                new AppSettings { Name = "free", Access = new AccessOverrides { Play = AccessMode.Open } },
                new AppSettings { Name = "own*", Access = new AccessOverrides { PlayTokens = [new Secret("o")] } },
            ],
        });
        rules.Find(Of("free"), AccessAction.Play).ShouldBeNull();
        rules.Find(Of("own1"), AccessAction.Play)!.Judge("token=o").IsAllowed.ShouldBeTrue();
        rules.Find(Of("own1"), AccessAction.Play)!.Judge("token=p1").IsAllowed.ShouldBeFalse();
        rules.Find(Of("other"), AccessAction.Play)!.Judge("token=p1").IsAllowed.ShouldBeTrue();
    }

    [Fact]
    public void The_token_of_publish_and_those_of_access_are_as_good_as_each_other()
    {
        var settings = new NodeSettings
        {
            Publish = new PublishSettings { Token = new Secret("all") },
            Vhosts = [new VhostSettings { Name = "default", Access = new AccessSettings { Publish = AccessMode.Token, PublishTokens = [new Secret("s")] } }],
        };
        var rule = new AccessRules(settings).Find(Of("live"), AccessAction.Publish)!;
        rule.Judge("token=all").IsAllowed.ShouldBeTrue();
        rule.Judge("token=s").IsAllowed.ShouldBeTrue();
        rule.Judge("").Status.ShouldBe(401);
        rule.Judge("token=x").Status.ShouldBe(403);
    }

    [Fact]
    public void Only_what_is_fetched_can_be_left_to_the_origin_and_an_app_can_be_left_out_of_it()
    {
        var rules = With(new VhostSettings
        {
            Mode = VhostMode.Remote,
            Origin = ["millrace://a rtmp://b"],
            TokenTraverse = true,
            Apps = [new AppSettings { Name = "here", Mode = VhostMode.Local }, new AppSettings { Name = "open", TokenTraverse = false }],
        });
        var rule = rules.Find(Of("live"), AccessAction.Play)!;
        rule.IsTraversed.ShouldBeTrue();
        rule.Origins.Select(static origin => origin.ToString()).ShouldBe(["millrace://a:9000", "rtmp://b:1935"]);
        rules.Find(Of("here"), AccessAction.Play).ShouldBeNull();
        rules.Find(Of("open"), AccessAction.Publish).ShouldBeNull();
    }

    private static AccessRules With(VhostSettings vhost) => new(new NodeSettings { Vhosts = [vhost with { Name = "default" }] });

    private static StreamName Of(string app) => new("default", app, "x");
}
