using System.Net;
using System.Text.Json;
using Millrace.Node.Settings;

namespace Millrace.Doctor;

/// <summary>The node that runs with these settings already, as far as it says so.</summary>
/// <param name="Id">Its id among others; null where something takes the question and does not answer.</param>
/// <param name="Api">Where it was asked.</param>
/// <param name="Owner">Its process; null where that is not to be seen.</param>
internal sealed record RunningNode(string? Id, ListenEndpoint Api, PortOwner? Owner)
{
    /// <summary>A doctor is called when a node is in trouble: one that is slow to answer is no stranger.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks where the node's API would be.</summary>
    /// <returns>Null when nobody listens there, or somebody who is no node.</returns>
    public static async Task<RunningNode?> FindAsync(NodeSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
        RunningNode? silent = null;
        foreach (var listener in settings.Api.Listen.Where(static listener => listener.Port > 0))
        {
            try
            {
                if (await AskAsync(client, listener).WaitAsync(Patience, time, cancellationToken) is { } id)
                    return new RunningNode(id, listener, PortOwner.Find(listener.Port));
            }
            catch (TimeoutException)
            {
                silent ??= new RunningNode(null, listener, PortOwner.Find(listener.Port));
            }
        }

        return silent;
    }

    /// <summary>Whether it is what listens on a port that another process cannot have.</summary>
    public bool Has(PortOwner? owner) => owner is null || Owner is null || owner.Process == Owner.Process;

    public override string ToString() => Owner is null ? $"the running node {Id}" : $"the running node {Id}, {Owner}";

    private static async Task<string?> AskAsync(HttpClient client, ListenEndpoint listener)
    {
        var isAny = listener.Address is null || listener.Address.Equals(IPAddress.Any) || listener.Address.Equals(IPAddress.IPv6Any);
        var endpoint = isAny ? listener with { Address = IPAddress.Loopback } : listener;
        try
        {
            var answer = await client.GetStringAsync(new Uri($"http://{endpoint}/v1/cluster"));
            using var document = JsonDocument.Parse(answer);
            return document.RootElement.GetProperty("node").GetProperty("id").GetString();
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException or OperationCanceledException)
        {
            // Nobody, or nobody that we know; or nobody waits any more.
            return null;
        }
    }
}
