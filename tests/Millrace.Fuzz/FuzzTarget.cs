namespace Millrace.Fuzz;

/// <summary>Bytes to start from.</summary>
/// <param name="Bytes">A valid input, or nearly so.</param>
/// <param name="Quiet">Bytes at the front in which changes say little (an RTMP handshake's random bytes): seldom touched.</param>
internal sealed record Seed(byte[] Bytes, int Quiet = 0);

/// <summary>
/// One parser or state machine. <see cref="Run"/> throws when an invariant is broken; whatever else it throws is a finding
/// as well, for network input never throws. It must follow from the input alone, so that a file reproduces a finding.
/// </summary>
internal abstract class FuzzTarget(string name)
{
    public string Name { get; } = name;

    public abstract IReadOnlyList<Seed> Seeds { get; }

    /// <summary>Longest input, bytes: repeated runs stop growing there.</summary>
    public virtual int MaxLength => 64 * 1024;

    /// <summary>Managed bytes that one input may allocate, whatever it says: state and buffers that are made for each run.</summary>
    public virtual long AllocatedBase => 64 * 1024;

    /// <summary>Managed bytes that one input may allocate for each of its own bytes.</summary>
    public virtual long AllocatedPerByte => 64;

    /// <param name="input">An array of its exact length, so that a read past the end throws.</param>
    /// <param name="random">Seeded by the input: for what the input does not say, such as where it is cut.</param>
    public abstract void Run(byte[] input, Random random);
}

/// <summary>An invariant does not hold.</summary>
internal sealed class BrokenInvariantException(string message) : Exception(message)
{
    public static void ThrowIf(bool isBroken, string message)
    {
        if (isBroken)
            throw new BrokenInvariantException(message);
    }
}
