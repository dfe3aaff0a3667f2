using System.Diagnostics;
using System.Text;
using Millrace.Bench.Native;

namespace Millrace.Bench.Hls;

/// <summary>Many keep-alive connections on one thread.</summary>
internal sealed class GetterSet(int port, bool keepsBodies, bool stamps = false) : IDisposable
{
    private const double StartTimeout = 20; // seconds for the last connection

    // Takes a whole playlist; of larger answers the rest is dropped uncopied.
    private readonly byte[] _scratch = new byte[64 * 1024];
    private readonly EpollSet _epoll = new();
    private readonly List<Getter> _all = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    // Unix time less Now, seconds, as of the last pass.
    private double _unixOffset;

    public IReadOnlyList<Getter> All => _all;

    /// <summary>Seconds since the set was made.</summary>
    public double Now => _clock.Elapsed.TotalSeconds;

    /// <summary>
    /// When the last byte of an answer came to its socket, on the clock of <see cref="Now"/>. The kernel has noted it, so that the time that
    /// a busy load generator takes to come round to it does not count as the server's.
    /// </summary>
    public double ArrivedAt(Getter getter) => getter.ArrivedUnix - _unixOffset;

    /// <summary>Why connections died, with their number.</summary>
    public Dictionary<string, int> Faults => _all.Where(static g => g.Reason is not null).CountBy(static g => g.Reason!).ToDictionary();

    /// <summary>A request without a condition, as text of HTTP/1.1.</summary>
    public static byte[] Request(int port, string path, bool gzip = false) => Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: millrace-bench\r\nAccept: */*\r\n{(gzip ? "Accept-Encoding: gzip\r\n" : "")}\r\n");

    /// <summary>Opens connections until there are <paramref name="count"/>, at most <paramref name="perSecond"/>.</summary>
    public void Connect(int count, int perSecond)
    {
        double start = Now;
        int before = _all.Count;
        while (_all.Count < count)
        {
            int due = Math.Min(count, before + (int)((Now - start) * perSecond) + 1);
            while (_all.Count < due)
            {
                _all.Add(new Getter(port, _all.Count, keepsBodies, stamps));
                _epoll.Add(_all[^1].Fd, _all.Count - 1, EpollSet.Out);
            }

            Pass(1, static _ => { });
        }

        while (Now - start < StartTimeout + (count / (double)perSecond) && _all.Exists(static g => g.Alive && !g.Connected)) Pass(10, static _ => { });
        if (_all.Exists(static g => !g.Connected)) throw new InvalidOperationException($"{_all.Count(static g => !g.Connected)} connections were not made");
    }

    /// <summary>Waits for events once, and handles them; <paramref name="onAnswer"/> is told of each completed answer. Gives the number of events.</summary>
    public int Pass(int timeoutMilliseconds, Action<Getter> onAnswer)
    {
        int count = _epoll.Wait(timeoutMilliseconds);
        _unixOffset = (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds - Now;
        for (int i = 0; i < count; i++)
        {
            var (tag, events) = _epoll.Get(i);
            var getter = _all[tag];
            if (getter.Alive && getter.OnEvent(_epoll, tag, events, _scratch)) onAnswer(getter);
        }

        return count;
    }

    public void Dispose()
    {
        foreach (var getter in _all) getter.Close();
        _epoll.Dispose();
    }
}
