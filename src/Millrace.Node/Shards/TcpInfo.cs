using System.Runtime.InteropServices;

namespace Millrace.Node.Shards;

/// <summary>What the kernel knows of a connection: <c>struct tcp_info</c> of linux/tcp.h, of which newer kernels only make more.</summary>
/// <param name="RoundTripMicros">Smoothed; 0 before there is one.</param>
/// <param name="UnsentBytes">Taken from this process, and not yet put on the wire.</param>
internal readonly record struct TcpInfo(long RoundTripMicros, long UnsentBytes)
{
    private const int OptionInfo = 11;
    private const int LastReceivedAt = 52;
    private const int RoundTripAt = 68;
    private const int UnsentAt = 144;
    private const int Length = UnsentAt + sizeof(uint);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>Asks on the connection's shard, for elsewhere its descriptor may be another's by now; null when it is gone or does not answer within 1 s.</summary>
    public static async Task<TcpInfo?> ReadAsync(ShardConnection connection)
    {
        var answer = new TaskCompletionSource<TcpInfo?>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Shard.Post(() => answer.TrySetResult(connection.IsClosed ? null : Read(connection.Descriptor)));
        await ((Task)answer.Task).WaitAsync(Limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return answer.Task.IsCompletedSuccessfully ? await answer.Task : null;
    }

    /// <summary>How long ago the kernel received data last, microseconds, as exact as its tick of some milliseconds; -1 where it does not say.</summary>
    public static long SinceReceived(int descriptor)
    {
        Span<byte> info = stackalloc byte[LastReceivedAt + sizeof(uint)];
        return TryGet(descriptor, info) ? MemoryMarshal.Read<uint>(info[LastReceivedAt..]) * 1_000L : -1;
    }

    private static TcpInfo? Read(int descriptor)
    {
        Span<byte> info = stackalloc byte[Length];
        return TryGet(descriptor, info)
            ? new TcpInfo(MemoryMarshal.Read<uint>(info[RoundTripAt..]), MemoryMarshal.Read<uint>(info[UnsentAt..]))
            : null;
    }

    private static unsafe bool TryGet(int descriptor, Span<byte> info)
    {
        var length = info.Length;
        fixed (byte* target = info)
            return Native.GetOption(descriptor, Native.ProtocolTcp, OptionInfo, target, &length) == 0 && length == info.Length;
    }
}
