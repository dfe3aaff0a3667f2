using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Millrace.Node.Shards;

namespace Millrace.Node.Relay;

/// <summary>
/// TLS to a foreign server. A shard has one end of a pair of sockets as if it were the connection; what goes through the other is carried over TLS by
/// the thread pool.
/// </summary>
internal static class TlsTunnel
{
    /// <summary>Begins to connect. Null, with the reason, when that has failed at once; what fails later closes the socket.</summary>
    public static unsafe ShardSocket? TryOpen(NodeContext node, OriginAddress origin, IPEndPoint remote, out string? error)
    {
        error = null;
        var pair = stackalloc int[2];
        if (Native.SocketPair(Native.FamilyUnix, Native.SocketStream | Native.CloseOnExec, 0, pair) != 0)
        {
            error = System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(Native.LastError);
            return null;
        }

        var inner = new Socket(new SafeSocketHandle(pair[1], ownsHandle: true));
        _ = CarryAsync(node, origin, remote, inner);
        return new ShardSocket(pair[0], remote, counts: null);
    }

    private static async Task CarryAsync(NodeContext node, OriginAddress origin, IPEndPoint remote, Socket inner)
    {
        var failure = "";
        try
        {
            await using var plain = new NetworkStream(inner, ownsSocket: true);
            using var outer = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(node.Stopping);
            limit.CancelAfter(node.Settings.Edge.ConnectTimeout);
            await outer.ConnectAsync(remote, limit.Token);
            await using var secure = new SslStream(new NetworkStream(outer, ownsSocket: false));
            limit.CancelAfter(ForeignConnection.SetupTime);
            await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = origin.Host.Trim('[', ']') }, limit.Token);
            limit.CancelAfter(Timeout.InfiniteTimeSpan);
            // Whichever side ends, the other has nothing more to say.
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(node.Stopping);
            Task[] ways = [plain.CopyToAsync(secure, ending.Token), secure.CopyToAsync(plain, ending.Token)];
            await Task.WhenAny(ways);
            await ending.CancelAsync();
            await Task.WhenAll(ways).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (OperationCanceledException)
        {
            failure = "no TLS connection in time";
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException)
        {
            failure = e.Message;
        }

        if (failure.Length > 0 && !node.Stopping.IsCancellationRequested)
            node.Loggers.CreateLogger("Millrace.Relay").LogInformation("{Origin}: {Reason}", origin, failure);
    }
}
