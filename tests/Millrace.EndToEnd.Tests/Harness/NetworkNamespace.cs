using System.Net;

namespace Millrace.EndToEnd.Harness;

/// <summary>
/// A network of its own for one program, as if on another machine, and a cable to it that can be pulled: a namespace of Linux and a pair of virtual
/// interfaces (ip-netns(8), veth(4)).
/// </summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    /// <summary>198.18.0.0/15 is for tests of devices (RFC 2544, appendix C.2.2): in networks of four addresses.</summary>
    private const int FirstAddress = 198 << 24 | 18 << 16, Networks = 1 << 15;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly string _name;
    private readonly string _near;
    private readonly string _far;

    private NetworkNamespace(int number)
    {
        (_name, _near, _far) = ($"millrace-{number}", $"mr{number}", $"mr{number}f");
        Address = AddressOf(number, 2);
    }

    /// <summary>The program's end of the cable.</summary>
    public string Address { get; }

    /// <summary>Makes one; without the right to, the test fails.</summary>
    public static async Task<NetworkNamespace> CreateAsync()
    {
        var number = Random.Shared.Next(Networks);
        while (File.Exists($"/run/netns/millrace-{number}") || Directory.Exists($"/sys/class/net/mr{number}"))
            number = Random.Shared.Next(Networks);
        var made = new NetworkNamespace(number);
        try
        {
            await IpAsync("netns", "add", made._name);
            await IpAsync("link", "add", made._near, "type", "veth", "peer", "name", made._far, "netns", made._name);
            await IpAsync("address", "add", AddressOf(number, 1) + "/30", "dev", made._near);
            await IpAsync("-n", made._name, "address", "add", made.Address + "/30", "dev", made._far);
            await IpAsync("link", "set", made._near, "up");
            await made.PlugAsync();
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>The command line that runs a program in it.</summary>
    public (string Program, IEnumerable<string> Arguments) Enter(string program, IEnumerable<string> arguments) =>
        ("ip", ["netns", "exec", _name, program, .. arguments]);

    /// <summary>Nothing goes either way any more, and nobody is told.</summary>
    public Task PullAsync() => IpAsync("-n", _name, "link", "set", _far, "down");

    public Task PlugAsync() => IpAsync("-n", _name, "link", "set", _far, "up");

    /// <summary>Whatever of it has been made goes; to be called when the program has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var arguments in (string[][])[["link", "delete", _near], ["netns", "delete", _name]])
        {
            await using var ip = ChildProcess.Start("ip", "ip", arguments);
            await ip.ExitAsync(Soon);
        }
    }

    private static string AddressOf(int number, int host) => new IPAddress(IPAddress.HostToNetworkOrder(FirstAddress + 4 * number + host) & 0xFFFF_FFFFL).ToString();

    private static async Task IpAsync(params string[] arguments)
    {
        await using var ip = ChildProcess.Start("ip", "ip", arguments);
        (await ip.ExitAsync(Soon)).ShouldBe(
            0, "a network namespace is needed here, and the right to make one, which root has (CAP_SYS_ADMIN, CAP_NET_ADMIN)\n" + ip.Tail());
    }
}
