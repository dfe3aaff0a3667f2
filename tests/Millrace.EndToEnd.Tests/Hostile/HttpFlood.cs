using System.Diagnostics;
using System.Text;
using Millrace.EndToEnd.Harness;

namespace Millrace.EndToEnd.Hostile;

/// <summary>Requests at a rate, pipelined on a few raw connections, whose answers are counted.</summary>
internal static class HttpFlood
{
    private const int Connections = 20;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    /// <summary>Asks for the paths in turn; each answer must have the status. Returns how long the last one took to come.</summary>
    /// <param name="server">Whom.</param>
    /// <param name="requests">How many in all.</param>
    /// <param name="perSecond">How many a second at most.</param>
    /// <param name="status">Code and reason.</param>
    /// <param name="path">By the number of the request.</param>
    public static async Task<TimeSpan> RunAsync(MillraceServer server, int requests, int perSecond, string status, Func<int, string> path)
    {
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async number =>
        {
            using var client = await HostileClient.ConnectAsync(server.HttpPort);
            var mine = requests / Connections;
            var reading = CountAsync(client, mine, "HTTP/1.1 " + status);
            for (var sent = 0; sent < mine;)
            {
                var due = Math.Min(mine, (int)(Stopwatch.GetElapsedTime(started).TotalSeconds * perSecond / Connections));
                var batch = Enumerable.Range(sent, due - sent).Select(i => $"GET {path((i * Connections) + number)} HTTP/1.1\r\nHost: h\r\n\r\n");
                await client.SendAsync(Encoding.ASCII.GetBytes(string.Concat(batch)));
                sent = due;
                await Task.Delay(Step, TestContext.Current.CancellationToken);
            }

            await reading;
        }));
        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Reads until so many answers have come; one of another status fails the test.</summary>
    private static async Task CountAsync(HostileClient client, int answers, string expected)
    {
        var rest = "";
        while (answers > 0)
        {
            var more = await client.ReceiveAsync();
            more.Length.ShouldBeGreaterThan(0, $"closed with {answers} answers to come");
            var text = rest + Encoding.ASCII.GetString(more.Span);
            var at = 0;
            for (int next; (next = text.IndexOf("HTTP/1.1 ", at, StringComparison.Ordinal)) >= 0 && text.Length >= next + expected.Length; at = next + expected.Length)
            {
                text.Substring(next, expected.Length).ShouldBe(expected);
                answers--;
            }

            // The beginning of an answer may be cut.
            rest = text[Math.Max(at, text.Length - expected.Length)..];
        }
    }
}
