using System.Buffers;

namespace Millrace.Protocols.Relay;

/// <summary>What a side says of itself, in Hello or Welcome.</summary>
/// <param name="Path">Hello: the nodes below the client.</param>
internal sealed record RelayHello(string Node, ReadOnlyMemory<byte> Nonce, IReadOnlyList<string> Path)
{
    /// <summary>Of the protocol.</summary>
    public const int Version = 1;

    private static ReadOnlySpan<byte> Magic => "MLRC"u8;

    public static bool HasMagic(ReadOnlySpan<byte> payload) => payload.StartsWith(Magic);

    public void WriteHello(IBufferWriter<byte> output)
    {
        var payload = new ArrayBufferWriter<byte>();
        payload.Write(Magic);
        var writer = WriteSelf(payload);
        writer.Number(Path.Count);
        foreach (var node in Path)
            writer.Text(node);
        RelayWriter.Message(output, RelayMessageType.Hello, payload.WrittenSpan);
    }

    public void WriteWelcome(IBufferWriter<byte> output, ReadOnlySpan<byte> proof)
    {
        var payload = new ArrayBufferWriter<byte>();
        WriteSelf(payload).Bytes(proof);
        RelayWriter.Message(output, RelayMessageType.Welcome, payload.WrittenSpan);
    }

    /// <summary>Reads a Hello that has the magic. Null, and why, when it is to be refused.</summary>
    public static RelayHello? ReadHello(ReadOnlySpan<byte> payload, out RelayRefusal? refusal)
    {
        var reader = new RelayReader(payload[Magic.Length..]);
        var hello = ReadSelf(ref reader, out refusal);
        if (hello is null)
            return null;
        if (!reader.TryNumber(out var count))
            return Malformed(out refusal);
        if (count > RelayNode.MaxPath)
        {
            refusal = new RelayRefusal(RelayRefusalCode.Bad, $"a path of {count} nodes, more than {RelayNode.MaxPath}");
            return null;
        }

        var path = new string[count];
        for (var i = 0; i < path.Length; i++)
        {
            if (!reader.TryText(RelayNode.MaxLength, out var node) || !RelayNode.IsValid(node))
                return Malformed(out refusal);
            path[i] = node;
        }

        return hello with { Path = path };
    }

    /// <summary>As <see cref="ReadHello"/>, of a Welcome.</summary>
    public static RelayHello? ReadWelcome(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> proof, out RelayRefusal? refusal)
    {
        proof = default;
        var reader = new RelayReader(payload);
        var welcome = ReadSelf(ref reader, out refusal);
        return welcome is null || reader.TryBytes(RelayProof.Length, out proof) ? welcome : Malformed(out refusal);
    }

    private RelayWriter WriteSelf(ArrayBufferWriter<byte> payload)
    {
        var writer = new RelayWriter(payload);
        writer.Number((ulong)Version);
        writer.Text(Node);
        payload.Write(Nonce.Span);
        return writer;
    }

    private static RelayHello? ReadSelf(ref RelayReader reader, out RelayRefusal? refusal)
    {
        refusal = null;
        if (!reader.TryNumber(out var version))
            return Malformed(out refusal);
        if (version != Version)
        {
            // Another version may have other fields behind this one.
            refusal = new RelayRefusal(RelayRefusalCode.Version, $"version {version} of the relay's protocol; this node speaks {Version}");
            return null;
        }

        if (!reader.TryText(RelayNode.MaxLength, out var node) || !RelayNode.IsValid(node)
            || !reader.TrySpan(RelayOptions.NonceBytes, out var nonce))
            return Malformed(out refusal);
        return new RelayHello(node, nonce.ToArray(), []);
    }

    private static RelayHello? Malformed(out RelayRefusal? refusal)
    {
        refusal = new RelayRefusal(RelayRefusalCode.Bad, "a malformed introduction");
        return null;
    }
}
