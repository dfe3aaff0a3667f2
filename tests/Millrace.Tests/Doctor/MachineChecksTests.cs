using Millrace.Doctor;
using Millrace.Node.Settings;

namespace Millrace.Tests.Doctor;

/// <summary>What the kernel says in its files against what the settings promise.</summary>
public sealed class MachineChecksTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("millrace-").FullName;

    public MachineChecksTests()
    {
        Limits("self", "20000");
        Write("proc/sys/net/core/somaxconn", "4096\n");
        Write("proc/sys/net/core/rmem_max", "4194304\n");
        Write("proc/sys/net/core/wmem_max", "4194304\n");
        Write("proc/meminfo", "MemTotal:        1048576 kB\n");
        Write("proc/self/cgroup", "0::/\n");
    }

    [Fact]
    public void A_machine_that_gives_what_is_asked_for_is_ok()
    {
        var checks = Run(new NodeSettings());
        checks.Select(check => (check.Name, check.Result, check.Advice)).ShouldBe(
        [
            ("limits.connections", CheckResult.Ok, null), ("net.core.somaxconn", CheckResult.Ok, null),
            ("net.core.rmem_max", CheckResult.Ok, null), ("memory.media", CheckResult.Ok, null),
        ]);
    }

    [Theory]
    [InlineData(15_000, "20000", "Ok")]
    [InlineData(19_000, "20000", "Ok")]
    [InlineData(19_001, "20000", "Warn")]
    [InlineData(20_000, "20000", "Warn")]
    [InlineData(20_001, "20000", "Fail")]
    [InlineData(0, "20000", "Ok")]
    [InlineData(0, "999", "Warn")]
    [InlineData(1_000_000, "unlimited", "Ok")]
    [InlineData(1, "what", "Warn")]
    public void Connections_need_descriptors_and_a_thousand_besides(int connections, string limit, string expected)
    {
        Limits("self", limit);
        var check = Run(new NodeSettings { Limits = new LimitSettings { Connections = connections } })[0];
        check.Result.ToString().ShouldBe(expected);
        (check.Advice is null).ShouldBe(check.Result == CheckResult.Ok);
    }

    [Fact]
    public void The_limit_of_a_node_that_runs_is_its_own()
    {
        Limits("4711", "1024");
        var check = new MachineChecks(new NodeSettings(), _root, process: 4711).Run().First();
        (check.Result, check.Finding).ShouldBe((CheckResult.Fail, "15000, of 1024 open files"));
        check.Advice.ShouldBe("raise the limit (LimitNOFILE=16000, ulimit -n), or lower limits.connections");
    }

    [Theory]
    [InlineData("4096", "Ok")]
    [InlineData("128", "Warn")]
    [InlineData(null, "Warn")]
    public void Connections_that_wait_need_a_backlog(string? backlog, string expected)
    {
        Write("proc/sys/net/core/somaxconn", backlog);
        Run(new NodeSettings())[1].Result.ToString().ShouldBe(expected);
    }

    [Fact]
    public void Small_UDP_buffers_are_no_fault_yet()
    {
        Write("proc/sys/net/core/wmem_max", "212992\n");
        var check = Run(new NodeSettings())[2];
        check.Result.ShouldBe(CheckResult.Ok);
        check.Finding.ShouldBe("UDP buffers of up to 4096KB (rmem_max) and 208KB (wmem_max)");
        check.Advice!.ShouldContain("net.core.wmem_max=4194304");
    }

    [Theory]
    [InlineData(null, "Ok")]
    [InlineData(384L << 20, "Ok")]
    [InlineData(385L << 20, "Warn")]
    [InlineData(513L << 20, "Fail")]
    public void Media_must_fit_into_the_cgroup(long? media, string expected)
    {
        Write("sys/fs/cgroup/memory.max", "536870912\n");
        var check = Run(new NodeSettings { Memory = new MemorySettings { Media = media } })[3];
        check.Result.ToString().ShouldBe(expected);
        check.Finding.ShouldEndWith("of 512MB that the cgroup or the machine has");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private DoctorCheck[] Run(NodeSettings settings) => [.. new MachineChecks(settings, _root).Run()];

    private void Limits(string process, string soft) => Write($"proc/{process}/limits", $"""
        Limit                     Soft Limit           Hard Limit           Units
        Max processes             96226                96226                processes
        Max open files            {soft,-20} 1048576              files
        """);

    private void Write(string path, string? text)
    {
        path = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (text is null)
            File.Delete(path);
        else
            File.WriteAllText(path, text);
    }
}
