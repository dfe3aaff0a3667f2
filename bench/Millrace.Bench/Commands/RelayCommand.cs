using System.CommandLine;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Bench.Commands;

/// <summary>`relay`: a plain TCP byte pump in a process of its own, the control that `latency` measures against.</summary>
internal static class RelayCommand
{
    public static Command Create()
    {
        Option<int> listen = new("--listen") { Description = "Port on 127.0.0.1", Required = true };
        Option<int> to = new("--to") { Description = "Port on 127.0.0.1 to pump to", Required = true };
        var command = new Command("relay", "A plain TCP relay (one direction): the control of `latency`; not for use by hand.") { listen, to };
        command.SetAction(parsed => Run(parsed.GetValue(listen), parsed.GetValue(to)));
        return command;
    }

    private static int Run(int listen, int to)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, listen));
        listener.Listen();
        byte[] buffer = new byte[256 * 1024];
        while (true)
        {
            using var from = listener.Accept();
            using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            target.Connect(IPAddress.Loopback, to);
            int count;
            while ((count = from.Receive(buffer)) > 0) SendAll(target, buffer.AsSpan(0, count));
        }
    }

    private static void SendAll(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[socket.Send(bytes)..];
    }
}
