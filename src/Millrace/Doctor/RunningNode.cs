using System.Net;
using System.Text.Json;
using Millrace.Node.Settings;

namespace Millrace.Doctor;

/// <summary>The node that runs with these settings already.</summary>
/// <param name="Id">Its id among others.</param>
/// <param name="Owner">Its process; null where that is not to be seen.</param>
internal sealed record RunningNode(string Id, PortOwner? Owner)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    /// <summary>Asks where the node's API would be; null when no node answers there.</summary>
    public static async Task<RunningNode?> FindAsync(NodeSettings settings, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = Timeout };
        foreach (var listener in settings.Api.Listen)
        {
            if (listener.Port > 0 && await AskAsync(client, listener, cancellationToken) is { } id)
                return new RunningNode(id, PortOwner.Find(listener.Port));
        }

        return null;
    }

    /// <summary>Whether it is what listens on a port that another process cannot have.</summary>
    public bool Has(PortOwner? owner) => owner is null || Owner is null || owner.Process == Owner.Process;

    public override string ToString() => Owner is null ? $"the running node {Id}" : $"the running node {Id}, {Owner}";

    private static async Task<string?> AskAsync(HttpClient client, ListenEndpoint listener, CancellationToken cancellationToken)
    {
        var isAny = listener.Address is null || listener.Address.Equals(IPAddress.Any) || listener.Address.Equals(IPAddress.IPv6Any);
        var endpoint = isAny ? listener with { Address = IPAddress.Loopback } : listener;
        try
        {
            var answer = await client.GetStringAsync(new Uri($"http://{endpoint}/v1/cluster"), cancellationToken);
            using var document = JsonDocument.Parse(answer);
            return document.RootElement.GetProperty("node").GetProperty("id").GetString();
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // Nobody, or nobody that we know.
            return null;
        }
    }
}
