namespace Millrace.Bench.Send;

internal enum SendCall
{
    /// <summary>sendmsg(2), an entry for each 64 KiB, as our server does.</summary>
    Message,

    /// <summary>send(2) of one contiguous run.</summary>
    Plain,

    /// <summary>sendfile(2).</summary>
    File,

    /// <summary>sendmsg(2) with MSG_ZEROCOPY; completions are read from the error queue.</summary>
    ZeroCopy,

    /// <summary>io_uring: 64 sends with each system call, registered files.</summary>
    Ring,
}

internal enum SendMemory
{
    Anonymous,
    MemFd,

    /// <summary>Anonymous with MADV_HUGEPAGE.</summary>
    Huge,
}

/// <summary>How an object's head, which lies elsewhere, comes before its body.</summary>
internal enum HeadWay
{
    /// <summary>In the same call.</summary>
    Together,

    /// <summary>A call of its own with MSG_MORE.</summary>
    More,

    /// <summary>A call of its own, and TCP_CORK around both.</summary>
    Cork,

    /// <summary>A call of its own.</summary>
    Apart,
}

/// <summary>One way to send; what is not set is as in our server.</summary>
internal sealed record SendVariant(string Name)
{
    public const string BaselineName = "sendmsg";

    public SendCall Call { get; init; }
    public SendMemory Memory { get; init; }
    public HeadWay Head { get; init; }

    /// <summary>SO_SNDBUF as given to the kernel, which doubles it; 0 = the kernel's own tuning.</summary>
    public int SendBuffer { get; init; }

    /// <summary>TCP_NOTSENT_LOWAT: bytes that a socket takes beyond what the peer's window lets it send; 0 = no limit.</summary>
    public int NotSent { get; init; }
    public bool NoDelay { get; init; } = true;

    /// <summary>TCP_CORK all the time: the kernel keeps what fills no segment for up to 200 ms.</summary>
    public bool Corked { get; init; }

    /// <summary>Never sleeps: epoll_wait with timeout 0.</summary>
    public bool Spins { get; init; }

    /// <summary>SO_BUSY_POLL, microseconds; 0 = off.</summary>
    public int BusyPoll { get; init; }

    /// <summary>Bytes that a connection is given before others have their turn; it asks epoll for its next one. int.MaxValue = as many as its socket takes.</summary>
    public int TurnBytes { get; init; } = 256 * 1024;

    /// <summary>A pass begins before its window is over when this many bytes wait; 0 = never.</summary>
    public int EarlyBytes { get; init; }

    public static SendVariant Baseline { get; } = new(BaselineName);

    /// <summary>All that make sense for a case; the first is the baseline once more, which shows how far equal things differ.</summary>
    public static IEnumerable<SendVariant> For(SendCase sendCase) => All.Where(v => sendCase.IsStream
        ? v.Head is HeadWay.Together or HeadWay.More && (v.Head == HeadWay.Together || v.Call == SendCall.File) && (v.EarlyBytes == 0 || sendCase.WindowMs > 0)
        : !v.Corked && v.Call != SendCall.Plain && v.EarlyBytes == 0);

    private static readonly SendVariant[] All =
    [
        new("same"),
        new("send") { Call = SendCall.Plain },
        new("memfd") { Memory = SendMemory.MemFd },
        new("sendfile") { Call = SendCall.File, Memory = SendMemory.MemFd, Head = HeadWay.More },
        new("zerocopy") { Call = SendCall.ZeroCopy },
        new("io_uring") { Call = SendCall.Ring },
        new("huge-pages") { Memory = SendMemory.Huge },
        new("sndbuf-64k") { SendBuffer = 64 * 1024 },
        new("sndbuf-128k") { SendBuffer = 128 * 1024 },
        new("sndbuf-200k") { SendBuffer = 200 * 1024 },
        new("sndbuf-400k") { SendBuffer = 400 * 1024 },
        new("sndbuf-1m") { SendBuffer = 1024 * 1024 },
        new("turns-64k") { TurnBytes = 64 * 1024 },
        new("turns-512k") { TurnBytes = 512 * 1024 },
        new("no-turns") { TurnBytes = int.MaxValue },
        new("sendfile-64k") { Call = SendCall.File, Memory = SendMemory.MemFd, Head = HeadWay.More, TurnBytes = 64 * 1024 },
        new("sendfile-whole") { Call = SendCall.File, Memory = SendMemory.MemFd, Head = HeadWay.More, TurnBytes = int.MaxValue },
        new("sendfile-200k") { Call = SendCall.File, Memory = SendMemory.MemFd, Head = HeadWay.More, SendBuffer = 200 * 1024 },
        new("sendfile-400k") { Call = SendCall.File, Memory = SendMemory.MemFd, Head = HeadWay.More, SendBuffer = 400 * 1024 },
        new("notsent-16k") { NotSent = 16 * 1024 },
        new("notsent-64k") { NotSent = 64 * 1024 },
        new("notsent-256k") { NotSent = 256 * 1024 },
        new("400k+n128k") { SendBuffer = 400 * 1024, NotSent = 128 * 1024 },
        new("sendfile-n64k") { Call = SendCall.File, Memory = SendMemory.MemFd, Head = HeadWay.More, NotSent = 64 * 1024 },
        new("nagle") { NoDelay = false },
        new("cork") { Corked = true },
        new("head-more") { Head = HeadWay.More },
        new("head-cork") { Head = HeadWay.Cork },
        new("head-apart") { Head = HeadWay.Apart },
        new("spin") { Spins = true },
        new("so-busy-poll") { BusyPoll = 50 },
        new("early-64k") { EarlyBytes = 64 * 1024 },
    ];
}
