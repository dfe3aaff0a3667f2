using Millrace.Bench.Measure;

namespace Millrace.Bench.Memory;

/// <summary>What a server and the kernel held during one phase of a run: medians of samples a second apart. KB of 1,024 bytes.</summary>
internal sealed record MemoryPhase
{
    public required int Samples { get; init; }

    /// <summary>VmRSS of the server and its children.</summary>
    public required double RssKb { get; init; }

    /// <summary>RssAnon: without the program's own files, which all processes share.</summary>
    public required double AnonKb { get; init; }

    /// <summary>See <see cref="KernelMemory"/>: both ends of each connection.</summary>
    public required double TcpKb { get; init; }
    public required double SlabKb { get; init; }

    /// <summary>Managed heap after its last collection; NaN for a server that has none.</summary>
    public required double HeapKb { get; init; }

    /// <summary>All that was ever allocated there: what lies uncollected is contained.</summary>
    public required double AllocatedKb { get; init; }

    /// <summary>Mapped for media, in use or free.</summary>
    public required double MappedKb { get; init; }

    /// <summary>Accounts of the media budget, which is outside the managed heap.</summary>
    public required double MediaKb { get; init; }

    public double KernelKb => TcpKb + SlabKb;
}

/// <summary>Collects the samples of one phase.</summary>
internal sealed class MemorySampler(int processId, Uri? metrics)
{
    private readonly List<(double Rss, double Anon, KernelMemory Kernel)> _samples = [];
    private readonly ProcessProbe _server = new(processId);

    public int Count => _samples.Count;

    public void Take() => _samples.Add((_server.ResidentKilobytes("VmRSS:"), _server.ResidentKilobytes("RssAnon:"), KernelMemory.Take()));

    /// <summary>Asks the server for its own view once, after the samples: the answer itself takes memory.</summary>
    public MemoryPhase Finish()
    {
        string page = MetricsPage.Read(metrics);
        return new MemoryPhase
        {
            Samples = _samples.Count,
            RssKb = Median(static s => s.Rss),
            AnonKb = Median(static s => s.Anon),
            TcpKb = Median(static s => s.Kernel.TcpKb),
            SlabKb = Median(static s => s.Kernel.SlabKb),
            HeapKb = MetricsPage.Sum(page, "millrace_managed_heap_bytes") / 1024,
            AllocatedKb = MetricsPage.Sum(page, "millrace_managed_allocated_bytes_total") / 1024,
            MappedKb = MetricsPage.Sum(page, "millrace_media_memory_mapped_bytes") / 1024,
            MediaKb = MetricsPage.Sum(page, "millrace_media_memory_bytes") / 1024,
        };
    }

    private double Median(Func<(double Rss, double Anon, KernelMemory Kernel), double> value) => Summary.Of(_samples.Select(value)).Median;
}
