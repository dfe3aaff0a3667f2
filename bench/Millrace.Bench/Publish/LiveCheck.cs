using System.Text.Json;
using Millrace.Bench.Servers;

namespace Millrace.Bench.Publish;

/// <summary>What our server's API says of the publishers.</summary>
internal static class LiveCheck
{
    // What is on its way through the sockets at the moment of the question.
    private const double LeastShare = 0.999;

    /// <summary>Reasons why the server has not taken everything in; empty = it has.</summary>
    /// <param name="server">Ours.</param>
    /// <param name="publishers">So many streams must be live.</param>
    /// <param name="sent">All bytes that the publishers have sent up to now, at the least.</param>
    public static IEnumerable<string> Faults(ServerUnderTest server, int publishers, long sent)
    {
        if (server.Metrics is not { } metrics) yield break;
        using var client = new HttpClient();
        using var streams = JsonDocument.Parse(client.GetStringAsync(new Uri(metrics, "/v1/streams")).GetAwaiter().GetResult());
        int live = streams.RootElement.GetProperty("streams").EnumerateArray().Count(static s => s.GetProperty("state").GetString() == "live");
        if (live != publishers) yield return $"{live} streams are live";
        using var sessions = JsonDocument.Parse(client.GetStringAsync(new Uri(metrics, "/v1/sessions")).GetAwaiter().GetResult());
        long received = sessions.RootElement.GetProperty("sessions").EnumerateArray()
            .Where(static s => s.GetProperty("role").GetString() == "publisher").Sum(static s => s.GetProperty("bytesIn").GetInt64());
        if (received < sent * LeastShare) yield return $"{received} bytes of {sent} were received";
    }
}
