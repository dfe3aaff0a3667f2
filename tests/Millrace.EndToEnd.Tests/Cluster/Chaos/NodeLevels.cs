namespace Millrace.EndToEnd.Cluster.Chaos;

/// <summary>What a node holds at a moment.</summary>
internal sealed record NodeLevels
{
    /// <summary>The thread pool has some more or fewer at any time.</summary>
    private const int ThreadsAllowed = 6;

    /// <summary>What the runtime has freed it gives back when it likes.</summary>
    private const long ResidentAllowed = 32 << 20;

    /// <summary>Of all accounts of the media memory.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Connections that a fault of the server has ended.</summary>
    public required int Faults { get; init; }

    public required int Connections { get; init; }

    public required int Sessions { get; init; }

    public required int Streams { get; init; }

    public required int Descriptors { get; init; }

    public required int Threads { get; init; }

    public required long ResidentBytes { get; init; }

    /// <summary>What is more than at another moment; empty when nothing is.</summary>
    public IReadOnlyList<string> Above(NodeLevels control)
    {
        var above = new List<string>();
        Compare("faults", Faults, 0);
        Compare("connections", Connections, control.Connections);
        Compare("descriptors", Descriptors, control.Descriptors);
        Compare("threads", Threads, control.Threads + ThreadsAllowed);
        Compare("resident bytes", ResidentBytes, (control.ResidentBytes * 3 / 2) + ResidentAllowed);
        return above;

        void Compare(string what, long value, long allowed)
        {
            if (value > allowed)
                above.Add($"{what}: {value}, allowed are {allowed}");
        }
    }

    public override string ToString() =>
        $"{Sessions} sessions, {Streams} streams, {Connections} connections, {Descriptors} descriptors, {Threads} threads, {MemoryBytes} bytes of media, {ResidentBytes >> 20} MB resident";
}
