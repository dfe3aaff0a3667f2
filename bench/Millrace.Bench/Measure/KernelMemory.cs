using System.Globalization;

namespace Millrace.Bench.Measure;

/// <summary>
/// What the kernel holds for sockets and the like, of the whole machine: both ends of every connection, and whatever else runs.
/// Only differences within one run mean something, and only beside the same of a peer.
/// </summary>
/// <param name="TcpKb">"mem" of TCP in /proc/net/sockstat (pages of 4 KB): queued bytes of all sockets and what is set aside for them.</param>
/// <param name="SlabKb">"Slab" of /proc/meminfo: the sockets themselves, epoll's entries, buffers' heads and all other objects.</param>
internal sealed record KernelMemory(double TcpKb, double SlabKb)
{
    private static readonly double PageKb = Environment.SystemPageSize / 1024.0;

    public static KernelMemory Take() => new(
        Value("/proc/net/sockstat", "TCP:", "mem") * PageKb,
        Value("/proc/meminfo", "Slab:", "Slab:"));

    /// <summary>The number behind a word on the line that starts so; NaN where the kernel does not tell.</summary>
    private static double Value(string path, string start, string word)
    {
        try
        {
            var words = File.ReadLines(path).FirstOrDefault(l => l.StartsWith(start, StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            int at = Array.IndexOf(words, word);
            return at < 0 ? double.NaN : double.Parse(words[at + 1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return double.NaN;
        }
    }
}
