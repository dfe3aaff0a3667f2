using System.Diagnostics;
using Millrace.Bench.Load;
using Millrace.Bench.Native;

namespace Millrace.Bench.Crowds;

internal enum CrowdRole
{
    /// <summary>Stays, and reads all.</summary>
    Steady,

    /// <summary>Plays, and never reads.</summary>
    Stalled,

    /// <summary>Reads at half of the stream's rate.</summary>
    HalfSpeed,

    /// <summary>Comes, gets media, and goes.</summary>
    Joiner,
}

/// <summary>A viewer of the crowd. <c>Check</c> is null where it only counts bytes.</summary>
internal sealed class CrowdMember(CrowdRole role, int tag, Viewer viewer, PictureCheck? check)
{
    public CrowdRole Role => role;
    public int Tag => tag;
    public Viewer Viewer => viewer;
    public PictureCheck? Check => check;

    /// <summary>Stopwatch ticks when it began to connect.</summary>
    public long Since { get; } = Stopwatch.GetTimestamp();

    /// <summary>Bytes that a half-speed viewer may read by now.</summary>
    public double Allowance { get; set; }

    /// <summary>Among the joiners that are there, oldest first.</summary>
    public LinkedListNode<CrowdMember>? Place { get; set; }

    /// <summary>It is read by the clock, by another set, or not at all.</summary>
    public bool IsUnwatched { get; private set; }

    public void Unwatch(EpollSet epoll)
    {
        IsUnwatched = true;
        epoll.Modify(viewer.Fd, tag, 0);
    }
}
