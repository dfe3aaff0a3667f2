using System.Globalization;
using Millrace.Bench.Load;
using Millrace.Bench.Measure;

namespace Millrace.Bench.Memory;

/// <summary>Memory per viewer of one protocol over all rounds, KB.</summary>
internal sealed record ViewerResult
{
    public required Protocol Protocol { get; init; }
    public required Summary OursKb { get; init; }
    public required Summary PeerKb { get; init; }
    public required Summary OursKernelKb { get; init; }
    public required Summary PeerKernelKb { get; init; }

    /// <summary>Kernel memory per viewer, ours to the peer's of the same round.</summary>
    public required Summary KernelRatio { get; init; }
    public string? Verdict { get; init; }
    public string? KernelVerdict { get; init; }
    public required IReadOnlyList<ViewerMeasure.Pair> Runs { get; init; }

    public static ViewerResult Of(Protocol protocol, IReadOnlyList<ViewerMeasure.Pair> pairs, MemoryPlan plan)
    {
        var ours = Summary.Of(pairs.Select(static p => p.Ours.RssKb));
        var ratio = Summary.Of(pairs.Select(static p => p.Ours.KernelKb / p.Peer.KernelKb));
        return new ViewerResult
        {
            Protocol = protocol,
            OursKb = ours,
            PeerKb = Summary.Of(pairs.Select(static p => p.Peer.RssKb)),
            OursKernelKb = Summary.Of(pairs.Select(static p => p.Ours.KernelKb)),
            PeerKernelKb = Summary.Of(pairs.Select(static p => p.Peer.KernelKb)),
            KernelRatio = ratio,
            Verdict = plan.BarViewerKb is { } kb ? ours.Against(kb, " KB") : null,
            KernelVerdict = plan.BarKernel is { } bar ? ratio.Against(bar) : null,
            Runs = pairs,
        };
    }

    public void Print()
    {
        Console.WriteLine($"viewer, {Protocol.ToString().ToLowerInvariant()}: RSS {Text(OursKb, "F2")} KB each, nginx-rtmp {Text(PeerKb, "F2")} KB{Suffix(Verdict)}");
        Console.WriteLine($"  kernel, both ends: {Text(OursKernelKb, "F1")} KB each, nginx-rtmp {Text(PeerKernelKb, "F1")} KB; ratio {Text(KernelRatio, "F2")}{Suffix(KernelVerdict)}");
    }

    internal static string Suffix(string? verdict) => verdict is null ? "" : $"; {verdict}";

    internal static string Text(Summary s, string format) =>
        string.Create(CultureInfo.InvariantCulture, $"{s.Median.ToString(format, CultureInfo.InvariantCulture)} [{s.Min.ToString(format, CultureInfo.InvariantCulture)}..{s.Max.ToString(format, CultureInfo.InvariantCulture)}]");
}
