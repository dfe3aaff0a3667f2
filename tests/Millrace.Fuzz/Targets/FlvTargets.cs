using Millrace.Media;
using Millrace.Media.Flv;

namespace Millrace.Fuzz.Targets;

/// <summary>Bodies of audio and video messages.</summary>
internal sealed class FlvBodyTarget() : FuzzTarget("flv-body")
{
    /// <summary>By hand (Enhanced RTMP v2): one-track, many-track and ModEx forms, audio and video.</summary>
    private static readonly string[] Enhanced =
    [
        "9068766331" + "0101600000009000000000001ef000fcfdf8f800000f00", "91617663310000000102030405", "9361766330" + "81000c00", "a368766331" + "00000003260102",
        "96006176633100000000000403020100", "96216176633101000003aabbcc02000002ddee", "9707617663310000000401020304", "97020003e81361763031" + "0a0b",
        "904f707573" + "4f707573486561640102", "914f707573" + "fc01", "9500" + "664c6143" + "00aabb", "95104f70757300000002fc01" + "01000001fc", "94" + "6d703461" + "00",
    ];

    public override IReadOnlyList<Seed> Seeds { get; } =
        [.. Corpus.FlvTags.Take(12).Select(tag => new Seed(tag.Body)), .. Enhanced.Select(hex => new Seed(Convert.FromHexString(hex)))];

    public override void Run(byte[] input, Random random)
    {
        Read(TrackKind.Video, input);
        Read(TrackKind.Audio, input);
    }

    private static void Read(TrackKind kind, byte[] input)
    {
        var reader = new FlvBodyReader(kind, input);
        var payloads = 0;
        long total = 0;
        while (reader.TryRead(out var payload))
        {
            payloads++;
            total += payload.Data.Length;
            BrokenInvariantException.ThrowIf(payload.Kind != kind, "a payload of the other kind");
            BrokenInvariantException.ThrowIf(payloads > input.Length || total > input.Length, $"{payloads} payloads of {total} bytes in {input.Length}");
        }
    }
}

/// <summary>A tag stream, whole and cut.</summary>
internal sealed class FlvTagTarget() : FuzzTarget("flv-tags")
{
    public override IReadOnlyList<Seed> Seeds { get; } = [new Seed(Corpus.FlvHead), new Seed(Corpus.FlvHead[9..6_000]), new Seed(Corpus.FlvHead[13..4_000])];

    public override long AllocatedPerByte => 8;

    public override void Run(byte[] input, Random random)
    {
        var whole = Read(input, new Cuts(null));
        var cut = Read(input, new Cuts(random));
        BrokenInvariantException.ThrowIf(whole != cut, $"whole: {whole}; in pieces: {cut}");
    }

    private static string Read(byte[] input, Cuts cuts)
    {
        var reader = new FlvTagReader();
        var tags = new Digest();
        int count = 0, taken = 0, offered = 0;
        while (offered < input.Length)
        {
            offered = cuts.Next(taken, offered, input.Length);
            while (true)
            {
                var isTag = reader.TryRead(input.AsSpan(taken, offered - taken), out var consumed, out var tag);
                BrokenInvariantException.ThrowIf(consumed > offered - taken, $"{consumed} of {offered - taken} bytes consumed");
                taken += consumed;
                if (!isTag)
                    break;
                count++;
                tags.Add((long)tag.Type);
                tags.Add(tag.TimestampMs);
                tags.Add(tag.Body);
            }
        }

        return $"{count} tags {tags.Value:x8} {reader.Error}";
    }
}
