using System.Net;
using System.Text.Json;
using Millrace.Node.Settings;

namespace Millrace.Doctor;

/// <summary>The node that runs with these settings already.</summary>
/// <param name="Id">Its id among others.</param>
/// <param name="Owner">Its process; null where that is not to be seen.</param>
internal sealed record RunningNode(string Id, PortOwner? Owner)
{
    /// <summary>A doctor is called when a node is in trouble: one that is slow to answer is no stranger. Where nobody listens, nothing is waited for.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks where the node's API would be.</summary>
    /// <returns>The node, null when none answers; and what is to be said of listeners that took the question and said nothing.</returns>
    public static async Task<(RunningNode? Node, IReadOnlyList<DoctorCheck> Silent)> FindAsync(NodeSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        var silent = new List<DoctorCheck>();
        foreach (var listener in settings.Api.Listen.Where(static listener => listener.Port > 0))
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            try
            {
                if (await AskAsync(client, listener, limit.Token) is { } id)
                    return (new RunningNode(id, PortOwner.Find(listener.Port)), []);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                silent.Add(Silence(listener));
            }
        }

        return (null, silent);
    }

    /// <summary>Whether it is what listens on a port that another process cannot have.</summary>
    public bool Has(PortOwner? owner) => owner is null || Owner is null || owner.Process == Owner.Process;

    public override string ToString() => Owner is null ? $"the running node {Id}" : $"the running node {Id}, {Owner}";

    private static DoctorCheck Silence(ListenEndpoint listener) => DoctorCheck.Fail(
        "api",
        FormattableString.Invariant($"what listens at {listener} has not answered within {Patience.TotalSeconds} s"),
        "if that is this node, it hangs or has far too much to do: see its log and its processors");

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
        catch (Exception e) when (e is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // Nobody, or nobody that we know.
            return null;
        }
    }
}
