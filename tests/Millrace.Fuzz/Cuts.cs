using System.Buffers;

namespace Millrace.Fuzz;

/// <summary>How an input arrives: in one piece, or in random ones that may also lie in several segments.</summary>
internal sealed class Cuts(Random? random)
{
    /// <summary>How far the input has arrived after the next receive.</summary>
    public int Next(int taken, int offered, int length)
    {
        if (random is null)
            return length;
        _ = taken;
        var step = random.Next(4) switch { 0 => random.Next(1, 4), 1 => random.Next(1, 130), 2 => random.Next(1, 2_000), _ => random.Next(1, 20_000) };
        return Math.Min(length, offered + step);
    }

    /// <summary>The bytes, in one segment or two. Each segment is an array of its exact length when it is cut.</summary>
    public ReadOnlySequence<byte> Sequence(byte[] input, int start, int length)
    {
        if (random is null || length < 2 || random.Next(2) == 0)
            return new ReadOnlySequence<byte>(input, start, length);
        var at = random.Next(1, length);
        var first = new Segment(input.AsMemory(start, at), 0);
        var last = first.Append(input.AsMemory(start + at, length - at));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
