using System.Text.Json;
using System.Text.RegularExpressions;
using Millrace.Node.Settings;

namespace Millrace.Tests.Deploy;

/// <summary>The Dockerfile against what it is made of. That its steps work is for the end-to-end tests.</summary>
public sealed class ContainerFileTests
{
    private static readonly string Root = RepositoryRoot.Path;

    private static readonly IReadOnlyList<ContainerStage> Stages = ContainerFile.Read(Root);

    [Fact]
    public void Everything_that_is_copied_is_there_and_is_sent_to_the_builder()
    {
        var sent = File.ReadAllLines(Path.Combine(Root, "deploy", "Dockerfile.dockerignore")).Where(static line => line.StartsWith('!')).Select(static line => line[1..]).ToList();
        var copies = Stages.SelectMany(static stage => stage.All("COPY")).ToList();
        foreach (var source in copies.Where(static copy => copy.Source is null).SelectMany(static copy => copy.Words.SkipLast(1)))
        {
            Path.Exists(Path.Combine(Root, source)).ShouldBeTrue(source);
            sent.ShouldContain(source.Split('/')[0]);
        }

        copies.Select(static copy => copy.Source).OfType<string>().ShouldBe(["console", "build"]);
        sent.ShouldAllBe(static path => Path.Exists(Path.Combine(Root, path)));
    }

    [Fact]
    public void The_ports_are_those_of_the_settings()
    {
        var settings = new NodeSettings();
        var ports = new[] { settings.Rtmp.Listen, settings.Http.Listen, settings.Http.Tls.Listen, settings.Api.Listen, settings.Relay.Listen }
            .SelectMany(static list => list).Select(static endpoint => endpoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Stages[^1].All("EXPOSE").Single().Words.ShouldBe(ports);
        Stages[^1].All("HEALTHCHECK").Single().Text.ShouldContain($"/dev/tcp/127.0.0.1/{settings.Api.Listen[0].Port} ");
    }

    [Fact]
    public void The_images_have_versions_that_fit_the_sources()
    {
        var framework = Regex.Match(File.ReadAllText(Path.Combine(Root, "Directory.Build.props")), "<TargetFramework>net([0-9.]+)<").Groups[1].Value;
        Stages.Where(static stage => stage.Image.StartsWith("mcr.microsoft.com/dotnet/", StringComparison.Ordinal)).Select(static stage => stage.Image)
            .ShouldBe([$"mcr.microsoft.com/dotnet/sdk:{framework}", $"mcr.microsoft.com/dotnet/aspnet:{framework}"]);
        Regex.IsMatch(Stages[0].Image, "^node:(2[0-9]|[3-9][0-9])-").ShouldBeTrue(Stages[0].Image);
    }

    [Fact]
    public void It_runs_the_server_without_root_and_as_a_process_that_gets_signals()
    {
        var last = Stages[^1];
        last.All("USER").Single().Text.ShouldBe("$APP_UID");
        last.All("RUN").ShouldBeEmpty("there is nothing to do as root");
        JsonSerializer.Deserialize<string[]>(last.All("ENTRYPOINT").Single().Text).ShouldBe(["./millrace"]);
        JsonSerializer.Deserialize<string[]>(last.All("CMD").Single().Text).ShouldBe(["run"]);
    }
}
