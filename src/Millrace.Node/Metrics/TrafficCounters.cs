namespace Millrace.Node.Metrics;

/// <summary>Traffic of one app in one format since the start. Any thread adds.</summary>
internal sealed class TrafficCounters
{
    private long _informational;
    private long _success;
    private long _redirection;
    private long _clientError;
    private long _serverError;
    private long _bytesIn;
    private long _bytesOut;
    private long _micros;

    public TrafficTotals Totals => new(
        Interlocked.Read(ref _informational), Interlocked.Read(ref _success), Interlocked.Read(ref _redirection),
        Interlocked.Read(ref _clientError), Interlocked.Read(ref _serverError),
        Interlocked.Read(ref _bytesIn), Interlocked.Read(ref _bytesOut), Interlocked.Read(ref _micros));

    /// <summary>Counts one answer.</summary>
    public void AddRequest(int status, long micros)
    {
        switch (status / 100)
        {
            case 1:
                Interlocked.Increment(ref _informational);
                break;
            case 2:
                Interlocked.Increment(ref _success);
                break;
            case 3:
                Interlocked.Increment(ref _redirection);
                break;
            case 4:
                Interlocked.Increment(ref _clientError);
                break;
            default:
                Interlocked.Increment(ref _serverError);
                break;
        }

        Interlocked.Add(ref _micros, micros);
    }

    public void AddBytes(long bytesIn, long bytesOut)
    {
        if (bytesIn != 0)
            Interlocked.Add(ref _bytesIn, bytesIn);
        if (bytesOut != 0)
            Interlocked.Add(ref _bytesOut, bytesOut);
    }
}

/// <summary>Figures of a zone: answers by class of status, bytes, and the time that requests took in all.</summary>
internal readonly record struct TrafficTotals(
    long Informational, long Success, long Redirection, long ClientError, long ServerError, long BytesIn, long BytesOut, long Micros)
{
    public long Requests => Informational + Success + Redirection + ClientError + ServerError;

    public bool IsEmpty => this == default;

    public static TrafficTotals operator +(TrafficTotals a, TrafficTotals b) => new(
        a.Informational + b.Informational, a.Success + b.Success, a.Redirection + b.Redirection,
        a.ClientError + b.ClientError, a.ServerError + b.ServerError, a.BytesIn + b.BytesIn, a.BytesOut + b.BytesOut, a.Micros + b.Micros);
}

/// <summary>One zone as read.</summary>
/// <param name="Vhost">A configured vhost.</param>
/// <param name="App">Empty for what belongs to no app; <see cref="TrafficZones.Other"/> for apps that have no zone.</param>
internal readonly record struct TrafficRow(string Vhost, string App, TrafficFormat Format, TrafficTotals Totals);
