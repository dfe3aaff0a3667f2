using System.Collections.Concurrent;
using System.Diagnostics;

namespace Millrace.EndToEnd.Cdn;

/// <summary>When parts came to those who ask the node itself, and how much later to all others. Any thread.</summary>
internal sealed class Arrivals
{
    private readonly ConcurrentDictionary<string, long> _atControl = [];
    private readonly ConcurrentQueue<(string Uri, long At)> _all = [];
    private readonly Arrivals? _control;

    private Arrivals(Arrivals? control) => _control = control;

    /// <summary>Of those who ask the node.</summary>
    public static Arrivals OfControl() => new(null);

    /// <summary>Of those who ask a cache.</summary>
    public Arrivals Behind() => new(this);

    public void Note(string uri)
    {
        var now = Stopwatch.GetTimestamp();
        _atControl.TryAdd(uri, now);
        _all.Enqueue((uri, now));
    }

    /// <summary>How long ago the part came to the first of those who ask the node; 0 when it did not.</summary>
    public double AgeOf(string uri) => (_control ?? this)._atControl.TryGetValue(uri, out var at) ? Stopwatch.GetElapsedTime(at).TotalSeconds : 0;

    /// <summary>By how many seconds parts came later than to the first of those who ask the node, in order.</summary>
    public double[] Delays()
    {
        var control = (_control ?? this)._atControl;
        return [.. _all.Where(one => control.ContainsKey(one.Uri)).Select(one => Stopwatch.GetElapsedTime(control[one.Uri], one.At).TotalSeconds).Order()];
    }
}
