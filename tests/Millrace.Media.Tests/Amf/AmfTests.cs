using System.Buffers;
using Millrace.Media.Amf;

namespace Millrace.Media.Tests.Amf;

public sealed class AmfTests
{
    [Fact]
    public void Every_amf0_value_survives_a_round_trip_and_every_truncation_fails_quietly()
    {
        var value = AmfValue.OfObject([
            new("number", AmfValue.OfNumber(-1.5)),
            new("text", AmfValue.OfString("grüße")),
            new("long", AmfValue.OfString(new string('x', 70_000))),
            new("flag", AmfValue.True),
            new("nothing", AmfValue.Null),
            new("date", AmfValue.OfDate(1_700_000_000_000)),
            new("xml", AmfValue.OfXml("<a/>")),
            new("list", AmfValue.OfArray([AmfValue.False, AmfValue.Undefined])),
            new("map", AmfValue.OfEcmaArray([new("k", AmfValue.OfNumber(1))])),
            new("typed", AmfValue.OfObject([], "my.Class")),
        ]);
        var bytes = Write(value);

        var reader = new Amf0Reader(bytes);
        reader.TryRead(out var read).ShouldBeTrue();
        reader.IsAtEnd.ShouldBeTrue();
        Write(read).ShouldBe(bytes);
        read.GetString("text").ShouldBe("grüße");
        read["list"]!.Items.Count.ShouldBe(2);
        read["typed"]!.Text.ShouldBe("my.Class");

        for (var cut = 0; cut < bytes.Length; cut += cut is > 200 and < 69_000 ? 997 : 1)
        {
            var part = new Amf0Reader(bytes.AsSpan(0, cut));
            part.TryRead(out _).ShouldBeFalse();
        }
    }

    [Theory]
    [InlineData("0C FF FF FF FF 41")]
    [InlineData("02 FF FF 41")]
    [InlineData("0A 7F FF FF FF 05")]
    [InlineData("0A FF FF FF FF")]
    [InlineData("07 00 05")]
    [InlineData("09")]
    [InlineData("04")]
    [InlineData("11 0C FF FF FF FF")]
    [InlineData("11 06 FF FF FF FF")]
    [InlineData("11 09 FF FF FF FF 01")]
    [InlineData("11 0A FF FF FF FF 01")]
    [InlineData("11 0D 03 00")]
    public void Lies_about_lengths_and_unknown_markers_are_refused(string hex)
    {
        var reader = new Amf0Reader(Hex(hex));
        reader.TryRead(out _).ShouldBeFalse();
    }

    [Fact]
    public void Depth_and_number_of_values_are_bounded()
    {
        var deep = new List<byte>();
        for (var i = 0; i < 100_000; i++)
        {
            deep.AddRange([0x03, 0x00, 0x01, 0x61]);
        }

        new Amf0Reader(deep.ToArray()).TryRead(out _).ShouldBeFalse();

        byte[] deep3 = [0x11, .. Enumerable.Repeat<byte[]>([0x09, 0x03, 0x01], 50_000).SelectMany(b => b)];
        new Amf0Reader(deep3).TryRead(out _).ShouldBeFalse();

        byte[] wide = [0x0A, 0x00, 0x02, 0x00, 0x00, .. Enumerable.Repeat((byte)0x05, 0x20000)];
        new Amf0Reader(wide).TryRead(out _).ShouldBeFalse();
    }

    [Fact]
    public void References_that_multiply_use_up_the_budget()
    {
        // [ [x], ref, ref, … ] where every level refers to the one before twice: 2^n values if it were expanded.
        var bytes = new List<byte> { 0x0A, 0, 0, 0, 200 };
        bytes.AddRange([0x0A, 0, 0, 0, 1, 0x05]);
        for (byte i = 1; i < 200; i++)
        {
            bytes.AddRange([0x0A, 0, 0, 0, 2, 0x07, 0, i, 0x07, 0, i]);
        }

        new Amf0Reader(bytes.ToArray()).TryRead(out _).ShouldBeFalse();
    }

    [Fact]
    public void A_reference_to_an_unfinished_ancestor_is_undefined()
    {
        var reader = new Amf0Reader(Hex("03 00 01 61 07 00 00 00 00 09"));
        reader.TryRead(out var value).ShouldBeTrue();
        value["a"]!.Kind.ShouldBe(AmfKind.Undefined);
    }

    [Fact]
    public void An_ecma_array_counts_by_its_end_and_not_by_its_count()
    {
        new Amf0Reader(Hex("08 00 00 00 00 00 01 61 05 00 00 09")).TryRead(out var zero).ShouldBeTrue();
        zero.Properties.Count.ShouldBe(1);
        new Amf0Reader(Hex("08 00 00 00 01 00 01 61 05")).TryRead(out var open).ShouldBeTrue();
        open.Properties.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("11 04 7F", 127)]
    [InlineData("11 04 81 00", 128)]
    [InlineData("11 04 FF FF FF FF", -1)]
    [InlineData("11 04 C0 80 80 00", -268435456)]
    [InlineData("11 05 3F F8 00 00 00 00 00 00", 1.5)]
    public void Amf3_numbers(string hex, double expected)
    {
        new Amf0Reader(Hex(hex)).TryRead(out var value).ShouldBeTrue();
        value.Number.ShouldBe(expected);
    }

    [Fact]
    public void Amf3_objects_use_traits_strings_and_references()
    {
        // [ {a:"b"} sealed, {a:"b"} by trait reference and string reference, reference to the first ]
        var reader = new Amf0Reader(Hex("11 09 07 01 0A 13 01 03 61 06 03 62 0A 01 06 02 0A 02"));
        reader.TryRead(out var value).ShouldBeTrue();
        reader.IsAtEnd.ShouldBeTrue();
        value.Items.Count.ShouldBe(3);
        foreach (var item in value.Items)
        {
            item.GetString("a").ShouldBe("b");
        }
    }

    [Fact]
    public void Random_bytes_never_throw()
    {
        var random = new Random(3);
        var bytes = new byte[64];
        for (var round = 0; round < 50_000; round++)
        {
            random.NextBytes(bytes);
            bytes[0] = (byte)random.Next(0x12);
            var reader = new Amf0Reader(bytes);
            if (reader.TryRead(out var value))
            {
                Write(value);
            }
        }
    }

    private static byte[] Write(AmfValue value)
    {
        var output = new ArrayBufferWriter<byte>();
        new Amf0Writer(output).Value(value);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", ""));
}
