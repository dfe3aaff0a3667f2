using Millrace.Node.Settings;

namespace Millrace.Tests.Settings;

public sealed class MediaMemoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("millrace-").FullName;

    public MediaMemoryTests() => Write("proc/meminfo", "MemTotal:       8388608 kB\nMemFree: 1 kB\n");

    [Fact]
    public void Without_a_limit_it_is_half_of_the_machines_memory()
    {
        MediaMemory.Automatic(_root).ShouldBe(4L << 30);
        Write("proc/self/cgroup", "0::/\n");
        Write("sys/fs/cgroup/memory.max", "max\n");
        MediaMemory.Automatic(_root).ShouldBe(4L << 30);
    }

    [Fact]
    public void The_tightest_cgroup_above_the_process_counts()
    {
        Write("proc/self/cgroup", "0::/system/millrace\n");
        Write("sys/fs/cgroup/system/memory.max", "1073741824\n");
        Write("sys/fs/cgroup/system/millrace/memory.max", "2147483648\n");
        MediaMemory.Automatic(_root).ShouldBe(512L << 20);
    }

    [Fact]
    public void Version_1_of_cgroups_is_read_too()
    {
        Write("proc/self/cgroup", "9:cpu,cpuacct:/x\n5:memory:/x\n");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        Write("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1073741824\n");
        MediaMemory.Automatic(_root).ShouldBe(512L << 20);
    }

    [Fact]
    public void On_this_machine_it_is_something() => MediaMemory.Automatic().ShouldBeGreaterThan(16L << 20);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Write(string path, string text)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
