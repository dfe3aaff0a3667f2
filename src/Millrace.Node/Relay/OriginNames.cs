using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Node.Relay;

/// <summary>The addresses of origins' hosts: where a name cannot be looked up in time, those that it had the last time. Any thread.</summary>
/// <param name="resolve">Looks a name up; throws where it is not known.</param>
internal sealed class OriginNames(Func<OriginAddress, CancellationToken, Task<IPEndPoint[]>> resolve)
{
    /// <summary>The map of a cluster may name ever new ones.</summary>
    private const int MaxNames = 1_000;

    private readonly ConcurrentDictionary<(string Host, int Port), IPEndPoint[]> _last = new();

    /// <summary>Empty where there is none.</summary>
    public Task<IPEndPoint[]> ResolveAsync(OriginAddress origin, TimeSpan limit, CancellationToken cancellationToken)
    {
        var resolving = resolve(origin, cancellationToken);
        // An address in figures is no name.
        return resolving.IsCompletedSuccessfully ? resolving : AwaitAsync(origin, resolving, limit, cancellationToken);
    }

    private async Task<IPEndPoint[]> AwaitAsync(OriginAddress origin, Task<IPEndPoint[]> resolving, TimeSpan limit, CancellationToken cancellationToken)
    {
        var key = (origin.Host, origin.Port);
        try
        {
            var found = await resolving.WaitAsync(limit, cancellationToken).ConfigureAwait(false);
            if (found.Length > 0)
            {
                if (_last.Count >= MaxNames)
                    _last.Clear();
                return _last[key] = found;
            }
        }
        catch (Exception e) when (e is TimeoutException or SocketException)
        {
            // The name may be as good as before while those are away who know it.
        }

        return _last.GetValueOrDefault(key, []);
    }
}
