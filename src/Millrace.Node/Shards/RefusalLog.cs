using System.Net;
using Microsoft.Extensions.Logging;

namespace Millrace.Node.Shards;

/// <summary>Connections that were refused: a flood of them is one line a second.</summary>
internal sealed class RefusalLog(ILogger logger)
{
    private const long IntervalMicros = 1_000_000;

    private readonly Lock _gate = new();
    private long _logged;
    private long _count;

    public void Add(IPEndPoint remote, string reason)
    {
        lock (_gate)
        {
            _count++;
            var now = NodeClock.Micros;
            if (now - _logged < IntervalMicros)
                return;
            logger.LogWarning("refused {Count} connection(s), the last from {Remote}: {Reason}", _count, remote, reason);
            _logged = now;
            _count = 0;
        }
    }
}
