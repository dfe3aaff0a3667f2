using System.Globalization;

namespace Millrace.Bench.Curves;

/// <summary>What our server says of itself while it is under load, from its metrics; the peer has none.</summary>
internal sealed class ServerGauges : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly HttpClient _http = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<double> _factors = [];
    private readonly Task _task;

    public ServerGauges(Uri? metrics) => _task = metrics is null ? Task.CompletedTask : Task.Run(() => WatchAsync(metrics));

    public double LatePasses { get; private set; }

    /// <summary>The most jumps to a newer key frame that the sessions of one moment had behind them.</summary>
    public double Skips { get; private set; }

    /// <summary>The largest factor that merge windows were stretched by, in as many seconds up to now but for the last.</summary>
    public double WindowFactorOfLast(double seconds)
    {
        lock (_factors)
        {
            return _factors.SkipLast(1).TakeLast((int)seconds).Append(1).Max();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _task.Wait();
        _stop.Dispose();
        _http.Dispose();
    }

    private async Task WatchAsync(Uri metrics)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Interval, _stop.Token);
                string[] rows = (await _http.GetStringAsync(metrics, _stop.Token)).Split('\n');
                lock (_factors) _factors.Add(Values(rows, "millrace_shard_window_factor").Append(1).Max());
                LatePasses = Values(rows, "millrace_shard_late_passes_total").Sum();
                Skips = Math.Max(Skips, Values(rows, "millrace_session_skips").Sum());
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // Too busy to answer, or over: the next look, if there is one, says more.
            }
        }
    }

    private static IEnumerable<double> Values(string[] rows, string name) =>
        rows.Where(r => r.StartsWith(name + "{", StringComparison.Ordinal)).Select(static r => double.Parse(r[(r.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
}
