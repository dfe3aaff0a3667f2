namespace Millrace.Fuzz;

/// <summary>FNV-1a, 32 bits: the same for the same bytes on every machine and in every process.</summary>
internal struct Digest()
{
    private uint _hash = 2166136261;

    public readonly uint Value => _hash;

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var digest = new Digest();
        digest.Add(bytes);
        return digest.Value;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
            _hash = unchecked((_hash ^ value) * 16777619);
    }

    public void Add(long value)
    {
        for (var shift = 0; shift < 64; shift += 8)
            _hash = unchecked((_hash ^ (byte)(value >> shift)) * 16777619);
    }

    public void Add(string text)
    {
        foreach (var c in text)
            Add(c);
    }
}
