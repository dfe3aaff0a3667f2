using System.Globalization;
using System.Text.Json;
using Millrace.EndToEnd.Harness;
using Millrace.Tests.Deploy;

namespace Millrace.EndToEnd.Deploy;

/// <summary>The container files, as far as that goes without a container engine.</summary>
public sealed class DeployTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    /// <summary>Debian's docker-compose has the Compose specification's schema, and needs no engine to judge by it.</summary>
    [Fact(Timeout = 60_000)]
    public async Task The_compose_file_is_valid_and_what_is_not_in_the_specification_is_not()
    {
        var file = Path.Combine(Repository.Root, "deploy", "compose.yml");
        using var folder = new TemporaryFolder();
        foreach (var wrong in (string[])["    stop_grace_period: [15s]\n", "    healthchecks: {}\n", "    depends_on: {redis: {condition: service_ready}}\n"])
        {
            var broken = folder.Write("broken.yml", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken) + "\n  broken:\n    image: millrace\n" + wrong);
            await using var refused = ChildProcess.Start("docker-compose", "docker-compose", ["-f", broken, "config", "--quiet"]);
            (await refused.ExitAsync(Soon)).ShouldNotBe(0, wrong);
        }

        var services = await ChildProcess.RunAsync("docker-compose", "docker-compose", ["-f", file, "config", "--services"], Soon);
        services.ShouldBe(["redis", "origin-server", "edge-server-1", "edge-server-2"], ignoreOrder: true);
    }

    [Fact(Timeout = 600_000)]
    public async Task The_image_holds_what_dev_build_leaves_and_its_check_tells_a_healthy_node_from_none()
    {
        using var folder = new TemporaryFolder();
        var work = await new PlainBuild(folder.File(".")).RunAsync();
        Names(work).ShouldBe(Names(Path.GetDirectoryName(Repository.Product())!));

        var (http, api) = (Ports.Free(), Ports.Free());
        var environment = new Dictionary<string, string>
        {
            ["MILLRACE__RTMP__LISTEN"] = $":{Ports.Free()}",
            ["MILLRACE__HTTP__LISTEN"] = $"127.0.0.1:{http}",
            ["MILLRACE__RELAY__LISTEN"] = $"127.0.0.1:{Ports.Free()}",
            ["MILLRACE__API__LISTEN"] = $"127.0.0.1:{api}",
        };
        var last = ContainerFile.Read(Repository.Root)[^1];
        (await CheckAsync(last, api)).ShouldNotBe(0, "nobody listens");
        await using var server = ChildProcess.Start(
            "millrace", Path.Combine(work, Strings(last, "ENTRYPOINT")[0]), [.. Strings(last, "ENTRYPOINT").Skip(1), .. Strings(last, "CMD")], environment: environment);
        await server.PortAsync(api, Soon);
        await Wait.UntilAsync(async () => await CheckAsync(last, api) == 0, Soon, () => "it never becomes healthy\n" + server.Tail());
        // The page is in it.
        using var client = new HttpClient();
        (await client.GetStringAsync($"http://127.0.0.1:{http}/", TestContext.Current.CancellationToken)).ShouldContain("/~/assets/");

        server.Terminate();
        (await server.ExitAsync(Soon)).ShouldBe(0);
        (await CheckAsync(last, api)).ShouldNotBe(0, "it has stopped");
    }

    /// <summary>Runs the image's HEALTHCHECK with another port.</summary>
    private static async Task<int> CheckAsync(ContainerStage image, int port)
    {
        var text = image.All("HEALTHCHECK").Single().Text;
        var command = JsonSerializer.Deserialize<string[]>(text[(text.IndexOf("CMD ", StringComparison.Ordinal) + 4)..])!;
        var other = string.Create(CultureInfo.InvariantCulture, $"/dev/tcp/127.0.0.1/{port} ");
        await using var check = ChildProcess.Start(
            "health check", command[0], command.Skip(1).Select(word => word.Replace("/dev/tcp/127.0.0.1/8081 ", other, StringComparison.Ordinal)));
        return await check.ExitAsync(TimeSpan.FromSeconds(10));
    }

    private static string[] Strings(ContainerStage stage, string instruction) => JsonSerializer.Deserialize<string[]>(stage.All(instruction).Single().Text)!;

    private static List<string?> Names(string folder) => [.. Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)];
}
