using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Bench.Servers;

/// <summary>A running server with its own folder and configuration, pinned to one core; its stream is bench/NAME.</summary>
internal abstract class ServerUnderTest : IDisposable
{
    public const string App = "bench";
    private ChildProcess? _process;

    protected ServerUnderTest() => Folder = Directory.CreateTempSubdirectory("millrace-bench-").FullName;

    /// <summary>Its own folder, which goes with it.</summary>
    protected string Folder { get; }

    public abstract string Label { get; }
    /// <summary>0 when the server has no RTMP.</summary>
    public abstract int RtmpPort { get; }

    /// <summary>Where other nodes connect; 0 = nowhere.</summary>
    public virtual int RelayPort => 0;

    /// <summary>0 when the server has no HTTP.</summary>
    public abstract int HttpPort { get; }

    /// <summary>The configuration file's text, as run.</summary>
    public abstract string Configuration { get; }

    /// <summary>What the server makes of it, with all defaults; null when it cannot tell.</summary>
    public virtual string? ReadEffectiveConfiguration() => null;

    /// <summary>Where the server tells its managed heap; null when it has none.</summary>
    public virtual Uri? Metrics => null;

    /// <summary>Its list of sessions, as JSON; null when it has none.</summary>
    public virtual Uri? Sessions => null;

    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("not started");
    public string Errors => _process?.Errors ?? "";

    /// <param name="core">The core it may use; a negative one leaves it unpinned.</param>
    /// <param name="pollMs">How often its ports are tried.</param>
    /// <returns>The time from the start of the process until its media ports had all taken a connection.</returns>
    /// <exception cref="InvalidOperationException">A port is taken, or the server does not open its ports in 20 s.</exception>
    public TimeSpan Start(int core, int pollMs = 50)
    {
        int[] ports = [.. new[] { RtmpPort, HttpPort }.Where(static p => p > 0)];
        foreach (int port in ports)
        {
            if (Accepts(port)) throw new InvalidOperationException($"port {port} is in use: choose others with --base-port");
        }

        var clock = Stopwatch.StartNew();
        _process = Launch(core, Folder);
        foreach (int port in ports)
        {
            while (!Accepts(port))
            {
                if (_process.Exited || clock.Elapsed > TimeSpan.FromSeconds(20))
                {
                    throw new InvalidOperationException($"{Label} did not open port {port}:\n{_process.Errors}");
                }

                Thread.Sleep(pollMs);
            }
        }

        return clock.Elapsed;
    }

    public virtual void Dispose()
    {
        _process?.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    protected abstract ChildProcess Launch(int core, string folder);

    private static bool Accepts(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
