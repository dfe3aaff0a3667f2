using System.Buffers;
using Millrace.Media.Amf;
using Millrace.Protocols.Rtmp;

namespace Millrace.Fuzz.Targets;

/// <summary>AMF0 values, and AMF3 ones inside; what was read can be written and read again.</summary>
internal sealed class Amf0Target() : FuzzTarget("amf0")
{
    public override IReadOnlyList<Seed> Seeds { get; } =
    [
        .. Corpus.Messages(RtmpMessageType.CommandAmf0, RtmpMessageType.DataAmf0).Select(bytes => new Seed(bytes)),
        .. Corpus.FlvTags.Where(tag => tag.Type == Media.Flv.FlvTagType.Script).Select(tag => new Seed(tag.Body)),
        new Seed(Nested()),
        .. Amf3Target.Values.Select(bytes => new Seed([Amf0Marker.Amf3, .. bytes])),
    ];

    public override long AllocatedBase => 256 * 1024;

    // One byte can be a value: its object, its place in a list that doubles, and all of that written and read again.
    public override long AllocatedPerByte => 1_024;

    public override void Run(byte[] input, Random random)
    {
        var reader = new Amf0Reader(input);
        var output = new ArrayBufferWriter<byte>(256);
        var writer = new Amf0Writer(output);
        var values = 0;
        while (!reader.IsAtEnd && reader.TryRead(out var value))
        {
            values++;
            _ = value["codec"];
            _ = value.GetString("app");
            if (value.Weight < AmfLimits.MaxValues / 8)
                writer.Value(value);
        }

        BrokenInvariantException.ThrowIf(reader.Consumed > input.Length, $"{reader.Consumed} of {input.Length} bytes consumed");
        BrokenInvariantException.ThrowIf(values > AmfLimits.MaxValues, $"{values} values");
        var again = new Amf0Reader(output.WrittenSpan);
        while (!again.IsAtEnd && again.TryRead(out _))
        {
        }
    }

    private static byte[] Nested()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new Amf0Writer(output);
        for (var depth = 0; depth < 20; depth++)
        {
            writer.StartObject();
            writer.Name("a");
        }

        writer.StartEcmaArray(1);
        writer.Member("width", 1280);
        writer.Member("text", "x");
        writer.EndObject();
        for (var depth = 0; depth < 20; depth++)
            writer.EndObject();
        return output.WrittenSpan.ToArray();
    }
}

/// <summary>AMF3 values.</summary>
internal sealed class Amf3Target() : FuzzTarget("amf3")
{
    /// <summary>By hand: an anonymous dynamic object, its traits used again; an array with both parts; a string by reference; a collection; date and bytes.</summary>
    public static readonly byte[][] Values =
    [
        Convert.FromHexString("0a0b01036106036203630405" + "01"),
        Convert.FromHexString("0905010a1301036104010a010402"),
        Convert.FromHexString("090703610600010601060006036104830f"),
        Convert.FromHexString("0a0743666c65782e6d6573736167696e672e696f2e4172726179436f6c6c656374696f6e0903010401"),
        Convert.FromHexString("0905010801427000000000000c0701020304"),
        Convert.FromHexString("0a130b436c6173730361036204010402"),
    ];

    public override IReadOnlyList<Seed> Seeds { get; } = [.. Values.Select(bytes => new Seed(bytes))];

    public override long AllocatedBase => 128 * 1024;

    public override long AllocatedPerByte => 1_024;

    public override void Run(byte[] input, Random random)
    {
        var reader = new Amf3Reader(input);
        if (reader.TryRead(out var value))
            _ = value["codec"];
        BrokenInvariantException.ThrowIf(reader.Consumed > input.Length, $"{reader.Consumed} of {input.Length} bytes consumed");
    }
}
