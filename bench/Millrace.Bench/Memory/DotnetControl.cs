using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Memory;

/// <summary>The control for start-up: a small .NET program (the relay of `latency`) that opens one port, and nothing else.</summary>
internal sealed class DotnetControl : ServerUnderTest
{
    private readonly TcpListener _target = new(IPAddress.Loopback, 0);
    private readonly int _port;

    public DotnetControl(int port)
    {
        _port = port;
        _target.Start();
    }

    public override string Label => "small .NET program";
    public override int RtmpPort => _port;
    public override int HttpPort => 0;
    public override string Configuration => "";

    protected override ChildProcess Launch(int core, string folder) => ChildProcess.StartSelf(
        core,
        ["relay", "--listen", _port.ToString(CultureInfo.InvariantCulture), "--to", ((IPEndPoint)_target.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture)]);

    public override void Dispose()
    {
        base.Dispose();
        _target.Dispose();
    }
}
