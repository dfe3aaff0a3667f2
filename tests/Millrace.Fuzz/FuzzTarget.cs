using System.Globalization;
using System.Runtime.CompilerServices;

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

    public static void ThrowIf(bool isBroken, [InterpolatedStringHandlerArgument(nameof(isBroken))] ref WhenBroken message) =>
        ThrowIf(isBroken, message.Text);
}

/// <summary>A message that is written only when it is thrown: what a run allocates is to be the product's.</summary>
[InterpolatedStringHandler]
internal ref struct WhenBroken
{
    private DefaultInterpolatedStringHandler _text;
    private readonly bool _isBroken;

    public WhenBroken(int literalLength, int formattedCount, bool isBroken, out bool isWritten)
    {
        _isBroken = isWritten = isBroken;
        if (isBroken)
            _text = new DefaultInterpolatedStringHandler(literalLength, formattedCount, CultureInfo.InvariantCulture);
    }

    public string Text => _isBroken ? _text.ToStringAndClear() : "";

    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    public void AppendFormatted<T>(T value, string? format = null) => _text.AppendFormatted(value, format);
}
