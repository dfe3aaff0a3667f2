using System.CommandLine;
using Millrace.Bench.Send;

namespace Millrace.Bench.Commands;

/// <summary>`sinks`: the receivers of `send`, which starts them itself.</summary>
internal static class SinksCommand
{
    public static Command Create()
    {
        Option<int> port = new("--port") { Description = "Port of the sender on 127.0.0.1", Required = true };
        Option<int> connections = new("--connections") { Description = "Connections", Required = true };
        Option<int> pace = new("--pace") { Description = "Least milliseconds between two reads" };
        Option<int> objectBytes = new("--object-bytes") { Description = "Ask with one byte for this many bytes, again and again; 0 = never ask" };
        Option<bool> copy = new("--copy") { Description = "Read what comes, instead of dropping it in the kernel" };
        Option<int> segment = new("--mss") { Description = "TCP_MAXSEG, bytes; 0 = the interface's" };
        var command = new Command("sinks", "The receivers of `send`: they read until the sender ends, and write how many bytes came.") { port, connections, pace, objectBytes, copy, segment };
        command.SetAction(parsed =>
        {
            using var run = new SinkRun(parsed.GetValue(port), parsed.GetValue(connections), parsed.GetValue(pace), parsed.GetValue(objectBytes), parsed.GetValue(copy), parsed.GetValue(segment));
            Console.WriteLine(run.Run());
            return 0;
        });
        return command;
    }
}
