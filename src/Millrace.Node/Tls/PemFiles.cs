using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Millrace.Node.Shards;

namespace Millrace.Node.Tls;

/// <summary>
/// What is made of some PEM files. The node's sweeps have them looked at again, so that a renewal needs no restart: until the look is over, and where the files are no
/// longer good, what was made of the last good ones is in force.
/// </summary>
internal sealed class PemFiles<T>
    where T : class
{
    /// <summary>Between two looks at the files: some small reads.</summary>
    private const long CheckMicros = 2_000_000;

    private readonly PemFile[] _files;
    private readonly Func<PemFile[], T> _load;
    private readonly ILogger _logger;
    private readonly Action<Action> _run;
    private T _value;
    private string _seen;
    private long _nextCheck;
    private bool _isChecking;

    private PemFiles(PemFile[] files, Func<PemFile[], T> load, ILogger logger, long now, Action<Action> run)
    {
        (_files, _load, _logger, _run) = (files, load, logger, run);
        // Without files there is nothing to look at.
        _nextCheck = files.Length > 0 ? now + CheckMicros : long.MaxValue;
        var read = ReadAll();
        _seen = DigestOf(read);
        _value = load(read);
    }

    /// <summary>Reads the files for the first time; a <see cref="ListenException"/> names the setting that is wrong.</summary>
    /// <param name="files">May be none.</param>
    /// <param name="load">Makes something of them as they were read, in the same order, or throws a <see cref="PemException"/>.</param>
    /// <param name="logger">For renewals.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    /// <param name="run">Where later looks at the files run; null: on the thread pool.</param>
    public static PemFiles<T> Open(PemFile[] files, Func<PemFile[], T> load, ILogger logger, long now, Action<Action>? run = null)
    {
        try
        {
            return new PemFiles<T>(files, load, logger, now, run ?? (static check => ThreadPool.UnsafeQueueUserWorkItem(static check => check(), check, preferLocal: false)));
        }
        catch (PemException e)
        {
            throw new ListenException(e.Message, e);
        }
    }

    /// <summary>What a handshake needs; one value for as long as the files stay as they are. Any thread.</summary>
    public T Current => Volatile.Read(ref _value);

    /// <summary>Has the files looked at where that is due, and does not wait for it. To be called by one at a time.</summary>
    /// <param name="now">Monotonic time, microseconds.</param>
    public void Look(long now)
    {
        if (now < _nextCheck || Interlocked.Exchange(ref _isChecking, true))
            return;
        _nextCheck = now + CheckMicros;
        _run(Check);
    }

    /// <summary>One at a time: a file system that hangs holds up this look, and with it only the next.</summary>
    private void Check()
    {
        var seen = _seen;
        try
        {
            var read = ReadAll();
            seen = DigestOf(read);
            if (seen != _seen)
                Volatile.Write(ref _value, _load(read));
        }
        catch (PemException e)
        {
            // Files may stay broken for long: that is one line, until something else is wrong with them.
            seen = e.Message;
            if (seen != _seen)
                _logger.LogError("{Error}; the certificate in force stays", e.Message);
        }
        finally
        {
            _seen = seen;
            Volatile.Write(ref _isChecking, false);
        }
    }

    private PemFile[] ReadAll() => Array.ConvertAll(_files, static file => file.Read());

    private static string DigestOf(PemFile[] files) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', files.Select(static file => file.Text)))));
}
