using System.Net;
using System.Net.Sockets;
using Millrace.Doctor;

namespace Millrace.Tests.Doctor;

/// <summary>Who listens on a port, as the kernel's files have it.</summary>
public sealed class PortOwnerTests : IDisposable
{
    private const string Head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    private readonly string _root = Directory.CreateTempSubdirectory("millrace-").FullName;

    [Theory]
    [InlineData("proc/net/tcp", "0100007F:1F90 00000000:0000 0A")]
    [InlineData("proc/net/tcp6", "00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A")]
    public void It_is_found_by_the_inode_of_its_socket(string file, string line)
    {
        Table(file, line);
        Process(812, "nginx", "socket:[555]");
        PortOwner.Find(8080, _root).ShouldBe(new PortOwner(812, "nginx"));
        PortOwner.Find(8080, _root)!.ToString().ShouldBe("process 812 (nginx)");
    }

    [Theory]
    [InlineData("0100007F:1F90 0100007F:C350 01", "a connection")]
    [InlineData("0100007F:1F91 00000000:0000 0A", "another port")]
    [InlineData("00001F90:0050 00000000:0000 0A", "an address that looks like it")]
    public void What_does_not_listen_there_is_nobody(string line, string why)
    {
        Table("proc/net/tcp", line);
        Process(812, "nginx", "socket:[555]");
        PortOwner.Find(8080, _root).ShouldBeNull(why);
    }

    [Fact]
    public void A_process_whose_descriptors_are_not_to_be_seen_is_nobody()
    {
        Table("proc/net/tcp", "0100007F:1F90 00000000:0000 0A");
        Process(812, "nginx", "socket:[556]", "/dev/null");
        PortOwner.Find(8080, _root).ShouldBeNull();
    }

    [Fact]
    public void On_this_machine_it_is_this_process()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        PortOwner.Find(((IPEndPoint)listener.LocalEndpoint).Port)!.Process.ShouldBe(Environment.ProcessId);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Table(string file, string line)
    {
        Directory.CreateDirectory(Path.Combine(_root, "proc/net"));
        File.WriteAllText(Path.Combine(_root, file), $"{Head}   0: {line} 00000000:00000000 00:00000000 00000000     0        0 555 1 0000000000000000 100 0 0 10 0\n");
    }

    private void Process(int id, string name, params string[] descriptors)
    {
        var folder = Path.Combine(_root, "proc", $"{id}");
        Directory.CreateDirectory(Path.Combine(folder, "fd"));
        File.WriteAllText(Path.Combine(folder, "comm"), name + "\n");
        for (var i = 0; i < descriptors.Length; i++)
            File.CreateSymbolicLink(Path.Combine(folder, "fd", $"{i}"), descriptors[i]);
    }
}
