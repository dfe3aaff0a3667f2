using System.Buffers.Binary;

namespace Millrace.Fuzz;

/// <summary>Damages seeds as broken and hostile peers do: bits, lengths, cuts, splices, repetition.</summary>
internal sealed class Mutator(IReadOnlyList<Seed> seeds, int maxLength)
{
    private const int MostChanges = 6;

    /// <summary>The edges of the fields that protocols have: 8, 16, 24 and 32 bits, signed and unsigned.</summary>
    private static readonly uint[] Interesting =
    [
        0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 129, 254, 255, 256, 4095, 4096, 32_767, 32_768, 65_535, 65_536,
        0x7FFFFF, 0x800000, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF,
    ];

    public byte[] Next(Random random)
    {
        var seed = seeds[random.Next(seeds.Count)];
        var bytes = new List<byte>(seed.Bytes);
        var quiet = random.Next(16) == 0 ? 0 : seed.Quiet;
        for (var changes = random.Next(1, MostChanges + 1); changes > 0; changes--)
            Change(bytes, Math.Min(quiet, bytes.Count), random);
        if (bytes.Count > maxLength)
            bytes.RemoveRange(maxLength, bytes.Count - maxLength);
        return [.. bytes];
    }

    private void Change(List<byte> bytes, int quiet, Random random)
    {
        var room = bytes.Count - quiet;
        if (room <= 0)
        {
            bytes.Add((byte)random.Next(256));
            return;
        }

        var at = quiet + Position(room, random);
        switch (random.Next(12))
        {
            case 0 or 1:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                bytes[at] = (byte)random.Next(256);
                break;
            case 3 or 4 or 5:
                Overwrite(bytes, at, random);
                break;
            case 6:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 7:
                bytes.RemoveRange(at, Math.Min(random.Next(1, 33), bytes.Count - at));
                break;
            case 8:
                Repeat(bytes, at, random);
                break;
            case 9:
                Splice(bytes, at, random);
                break;
            case 10:
                Nudge(bytes, at, random);
                break;
            default:
                bytes.InsertRange(at, RandomBytes(random.Next(1, 17), random));
                break;
        }
    }

    /// <summary>Headers are at the front, so half of all changes are there.</summary>
    private static int Position(int room, Random random) => random.Next(random.Next(2) == 0 ? Math.Min(room, 64) : room);

    private static void Overwrite(List<byte> bytes, int at, Random random)
    {
        Span<byte> value = stackalloc byte[8];
        var number = Interesting[random.Next(Interesting.Length)];
        var width = random.Next(1, 5);
        BinaryPrimitives.WriteUInt32BigEndian(value, number << (8 * (4 - width)));
        if (random.Next(4) == 0)
            value[..width].Reverse();
        if (random.Next(16) == 0)
        {
            BinaryPrimitives.WriteDoubleBigEndian(value, random.Next(3) switch { 0 => double.NaN, 1 => double.PositiveInfinity, _ => -1e300 });
            width = 8;
        }

        for (var i = 0; i < width && at + i < bytes.Count; i++)
            bytes[at + i] = value[i];
    }

    private static void Nudge(List<byte> bytes, int at, Random random) => bytes[at] = (byte)(bytes[at] + random.Next(-3, 4));

    private void Repeat(List<byte> bytes, int at, Random random)
    {
        var run = bytes.GetRange(at, Math.Min(random.Next(1, random.Next(2) == 0 ? 9 : 1025), bytes.Count - at));
        var times = Math.Min(1 << random.Next(10), (maxLength - bytes.Count) / run.Count);
        var all = new List<byte>(Math.Max(0, times) * run.Count);
        for (; times > 0; times--)
            all.AddRange(run);
        bytes.InsertRange(at, all);
    }

    private void Splice(List<byte> bytes, int at, Random random)
    {
        var other = seeds[random.Next(seeds.Count)].Bytes;
        if (other.Length == 0)
            return;
        var from = random.Next(other.Length);
        var piece = other.AsSpan(from, Math.Min(random.Next(1, 257), other.Length - from)).ToArray();
        if (random.Next(2) == 0)
            bytes.RemoveRange(at, Math.Min(piece.Length, bytes.Count - at));
        bytes.InsertRange(at, piece);
    }

    private static byte[] RandomBytes(int count, Random random)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
