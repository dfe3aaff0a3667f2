using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Millrace.Protocols.Relay;
using Millrace.Streams;

namespace Millrace.Node.Relay;

/// <summary>Names that no origin knew a moment ago, so that whoever asks for them again and again asks this node alone. Any thread.</summary>
internal sealed class MissingNames
{
    /// <summary>What is asked for is made up by clients.</summary>
    private const int MostNames = 10_000;

    private readonly ConcurrentDictionary<StreamName, (RelayRefusal Refusal, long Until)> _names = new();

    /// <summary>Those of them that still hold.</summary>
    public int CountAt(long now)
    {
        Sweep(now);
        return _names.Count;
    }

    public bool TryFind(StreamName name, long now, [NotNullWhen(true)] out RelayRefusal? refusal)
    {
        refusal = null;
        if (!_names.TryGetValue(name, out var known))
            return false;
        if (now < known.Until)
        {
            refusal = known.Refusal;
            return true;
        }

        _names.TryRemove(name, out _);
        return false;
    }

    public void Add(StreamName name, RelayRefusal refusal, long until, long now)
    {
        if (_names.Count >= MostNames)
            Sweep(now);
        if (_names.Count < MostNames)
            _names[name] = (refusal, until);
    }

    private void Sweep(long now)
    {
        foreach (var (name, known) in _names)
        {
            if (now >= known.Until)
                _names.TryRemove(name, out _);
        }
    }
}
