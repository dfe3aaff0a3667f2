using Millrace.Bench.Load;

namespace Millrace.Bench.Memory;

/// <summary>What each viewer above the first cost in one run. KB of 1,024 bytes.</summary>
/// <param name="Protocol">Of the viewers.</param>
/// <param name="Report">The load generator's, with both phases.</param>
internal sealed record ViewerRun(Protocol Protocol, PlayersReport Report)
{
    /// <summary>Resident memory of the server.</summary>
    public double RssKb => Each(static m => m.RssKb);

    /// <summary>The part of it that is no file.</summary>
    public double AnonKb => Each(static m => m.AnonKb);

    /// <summary>Queued bytes and what is set aside for them, at both ends of the connection.</summary>
    public double TcpKb => Each(static m => m.TcpKb);

    /// <summary>Sockets and all other kernel objects, at both ends.</summary>
    public double SlabKb => Each(static m => m.SlabKb);

    public double KernelKb => Each(static m => m.KernelKb);

    /// <summary>Allocated on the managed heap for it, garbage included.</summary>
    public double AllocatedKb => Each(static m => m.AllocatedKb);

    /// <summary>Managed heap after the last collection, all of it; 0 before the first one.</summary>
    public double HeapMb => Report.Memory!.HeapKb / 1024;

    /// <summary>Mapped for media, all of it: the same for one viewer and for all.</summary>
    public double MappedMb => Report.Memory!.MappedKb / 1024;

    private double Each(Func<MemoryPhase, double> value) => (value(Report.Memory!) - value(Report.AloneMemory!)) / (Report.Viewers - 1);
}
