using System.Globalization;
using Millrace.Node.Settings;
using Millrace.Node.Shards;

namespace Millrace.Doctor;

/// <summary>Whether the kernel gives what the settings promise.</summary>
/// <param name="settings">Valid settings.</param>
/// <param name="root">The file system root; another one in tests.</param>
/// <param name="process">The running node's; null: what one would get that is started from here.</param>
internal sealed class MachineChecks(NodeSettings settings, string root = "/", int? process = null)
{
    /// <summary>Listeners, epoll instances, files, memory arenas, and connections to other nodes.</summary>
    private const int SpareDescriptors = 1_000;

    /// <summary>WebRTC sends bursts of whole pictures over one socket.</summary>
    private const long UdpBytes = 4 << 20;

    public IEnumerable<DoctorCheck> Run() => [Descriptors(), Backlog(), Udp(), Memory()];

    private DoctorCheck Descriptors()
    {
        const string Name = "limits.connections";
        var connections = settings.Limits.Connections;
        if (ProcFile.DescriptorLimit(root, process) is not { } limit)
            return DoctorCheck.Warn(Name, "the limit of open files cannot be read", "look at ulimit -n");
        var finding = string.Create(CultureInfo.InvariantCulture,
            $"{(connections == 0 ? "no limit" : connections)}, of {(limit == long.MaxValue ? "any number of" : limit)} open files");
        var wanted = string.Create(CultureInfo.InvariantCulture, $"{connections + SpareDescriptors}");
        if (connections > limit)
            return DoctorCheck.Fail(Name, finding, $"raise the limit (LimitNOFILE={wanted}, ulimit -n), or lower {Name}");
        return connections + SpareDescriptors > limit
            ? DoctorCheck.Warn(Name, finding, $"leave room for files and other nodes: LimitNOFILE={wanted}, or lower {Name}")
            : DoctorCheck.Ok(Name, finding);
    }

    private DoctorCheck Backlog()
    {
        const string Name = "net.core.somaxconn";
        if (ProcFile.ReadNumber(Path.Combine(root, "proc/sys/net/core/somaxconn")) is not { } backlog)
            return DoctorCheck.Warn(Name, "it cannot be read", $"look at sysctl {Name}");
        var finding = string.Create(CultureInfo.InvariantCulture, $"{backlog} connections may wait to be accepted");
        return backlog < ListenSocket.Backlog
            ? DoctorCheck.Warn(Name, finding, string.Create(CultureInfo.InvariantCulture, $"sysctl -w {Name}={ListenSocket.Backlog}: else viewers that come all at once are turned away"))
            : DoctorCheck.Ok(Name, finding);
    }

    /// <summary>Nothing uses UDP yet, so that this is never worse than ok.</summary>
    private DoctorCheck Udp()
    {
        const string Name = "net.core.rmem_max";
        var receive = ProcFile.ReadNumber(Path.Combine(root, "proc/sys/net/core/rmem_max"));
        var send = ProcFile.ReadNumber(Path.Combine(root, "proc/sys/net/core/wmem_max"));
        if (receive is null || send is null)
            return DoctorCheck.Ok(Name, "it cannot be read; nothing uses UDP yet");
        var finding = $"UDP buffers of up to {Kilobytes(receive.Value)} (rmem_max) and {Kilobytes(send.Value)} (wmem_max)";
        return Math.Min(receive.Value, send.Value) >= UdpBytes
            ? DoctorCheck.Ok(Name, finding)
            : DoctorCheck.Ok(Name, finding, string.Create(CultureInfo.InvariantCulture, $"nothing uses UDP yet; for WebRTC: sysctl -w net.core.rmem_max={UdpBytes} net.core.wmem_max={UdpBytes}"));
    }

    private DoctorCheck Memory()
    {
        const string Name = "memory.media";
        var available = MediaMemory.Available(root);
        var media = settings.Memory.Media ?? MediaMemory.Automatic(root);
        var finding = $"{Megabytes(media)} of {Megabytes(available)} that the cgroup or the machine has";
        if (media > available)
            return DoctorCheck.Fail(Name, finding, "the kernel would end the node when media fills it: lower memory.media, or use auto");
        return media > available / 4 * 3
            ? DoctorCheck.Warn(Name, finding, "leave a quarter for sockets and the process itself: lower memory.media, or use auto")
            : DoctorCheck.Ok(Name, finding);
    }

    private static string Kilobytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 10}KB");

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20}MB");
}
