using System.Collections.Concurrent;

namespace Millrace.Streams;

/// <summary>
/// All streams of a node by name. A stream exists from the first publisher or waiting viewer to the moment when neither a
/// Timeline, a lease nor a wire log is left: a name that was asked for once leaves nothing behind.
/// </summary>
internal sealed class StreamRegistry
{
    private readonly ConcurrentDictionary<StreamName, LiveStream> _streams = new();

    public StreamRegistry(StreamResources resources)
    {
        Resources = resources;
        Shedder = new Shedder(_streams);
        resources.Shed = Shedder.TryShed;
    }

    public StreamResources Resources { get; }

    public Shedder Shedder { get; }

    public int Count => _streams.Count;

    public IEnumerable<LiveStream> Streams => _streams.Values;

    public LiveStream? Find(StreamName name) => _streams.GetValueOrDefault(name);

    /// <summary>
    /// Runs <paramref name="use"/> on the stream of that name, made if it is missing, inside the stream's lock: it cannot
    /// be swept away before the call returns, and what the call attaches keeps it.
    /// </summary>
    public TResult Use<TState, TResult>(StreamName name, TState state, Func<LiveStream, TState, TResult> use)
    {
        while (true)
        {
            var stream = _streams.GetOrAdd(name, static (key, resources) => new LiveStream(key, resources), Resources);
            lock (stream.Gate)
            {
                if (!stream.IsSwept)
                    return use(stream, state);
            }

            // The sweeper is about to take it out of the table; whoever comes first does.
            _streams.TryRemove(new KeyValuePair<StreamName, LiveStream>(name, stream));
        }
    }

    /// <summary>Ends graces that are over and forgets what is empty. To be called about once a second.</summary>
    public void Sweep(long now)
    {
        foreach (var stream in _streams.Values)
        {
            if (stream.Sweep(now))
                _streams.TryRemove(new KeyValuePair<StreamName, LiveStream>(stream.Name, stream));
        }
    }
}
