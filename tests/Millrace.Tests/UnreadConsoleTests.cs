using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Millrace.Tests;

/// <summary>Whoever reads the log may stop to do so: a paused terminal, a collector that hangs.</summary>
public sealed partial class UnreadConsoleTests : IDisposable
{
    /// <summary>More lines than the logger's queue and a pipe hold together: 2,500 and 64 KB.</summary>
    private const int Connections = 5_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_log_that_nobody_reads_holds_nobody_up()
    {
        using var process = Start();
        try
        {
            var rtmp = PortOf(await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            var notRtmp = new byte[1];
            for (var i = 0; i < Connections; i++)
            {
                using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
                client.Connect(IPAddress.Loopback, rtmp);
                client.Send(notRtmp);
                // Each is closed by the server, which says so in a line of the log.
                client.Receive(notRtmp).ShouldBe(0, $"connection {i}");
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private Process Start()
    {
        File.WriteAllText(Path.Combine(_folder, "millrace.yml"), """
            rtmp: { listen: ["127.0.0.1:0"] }
            http: { listen: [] }
            api: { listen: [] }
            relay: { listen: [] }
            limits: { connections_per_ip: 0 }
            """);
        return Process.Start(new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "millrace.dll"), "run", "--config", "millrace.yml" },
        })!;
    }

    private static int PortOf(string? line) => int.Parse(Port().Match(line ?? "").Groups[1].ValueSpan, null);

    [GeneratedRegex(@"^RTMP .*:(\d+)$")]
    private static partial Regex Port();
}
