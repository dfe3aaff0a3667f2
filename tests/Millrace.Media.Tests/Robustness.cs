namespace Millrace.Media.Tests;

internal delegate void SpanParser(ReadOnlySpan<byte> input);

/// <summary>Hands a parser every prefix of a vector and seeded damage of it; the parser passes by not throwing and by ending.</summary>
internal static class Robustness
{
    private const int Mutations = 2000;

    public static void Survive(byte[] vector, SpanParser parser)
    {
        // Each input is an array of its exact length, so that a read past the end throws instead of seeing other bytes.
        for (int length = 0; length <= vector.Length; length++)
            parser(vector.AsSpan(0, length).ToArray());

        var random = new Random(20240607);
        for (int i = 0; i < Mutations; i++)
            parser(Damage(vector, random));
    }

    private static byte[] Damage(byte[] vector, Random random)
    {
        byte[] bytes = vector[..random.Next(vector.Length / 2, vector.Length + 1)];
        for (int changes = random.Next(1, 6); changes > 0 && bytes.Length > 0; changes--)
        {
            int at = random.Next(bytes.Length);
            bytes[at] = random.Next(4) switch
            {
                0 => 0,
                1 => 0xFF,
                2 => (byte)(bytes[at] ^ (1 << random.Next(8))),
                _ => (byte)random.Next(256),
            };
        }

        return bytes;
    }
}
