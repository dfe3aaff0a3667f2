using Millrace.Media.Mp4;

namespace Millrace.Media.Tests.Mp4;

public sealed class FragmentTests
{
    private const uint Sync = 0x02000000, Dependent = 0x01010000;

    [Fact]
    public void Pictures_that_are_shown_in_another_order_have_composition_offsets()
    {
        // I P B B at 30 pictures a second of 90 kHz, two pictures of delay.
        Sample[] samples = [Of(1000, 9000, 15000, true), Of(400, 12000, 24000), Of(100, 15000, 18000), Of(90, 18000, 21000)];
        Hex.Of(Write(7, samples)).ShouldBe(Joined(
            "00000084 6d6f6f66",
            "00000010 6d666864 00000000 00000007",
            "0000006c 74726166",
            "00000018 74666864 00020028 00000001 00000bb8 01010000",
            "00000014 74666474 01000000 0000000000002328",
            "00000038 7472756e 01000a05 00000004 0000008c 02000000",
            "000003e8 00001770  00000190 00002ee0  00000064 00000bb8  0000005a 00000bb8",
            "0000063e 6d646174"));
    }

    [Fact]
    public void One_sample_needs_no_fields_of_its_own()
    {
        Sample[] samples = [Of(5, 0x1_0000_0000, 0x1_0000_0000)];
        Hex.Of(Write(uint.MaxValue, samples)).ShouldBe(Joined(
            "00000064 6d6f6f66",
            "00000010 6d666864 00000000 ffffffff",
            "0000004c 74726166",
            "0000001c 74666864 00020038 00000001 00000bb8 00000005 01010000",
            "00000014 74666474 01000000 0000000100000000",
            "00000014 7472756e 01000001 00000001 0000006c",
            "0000000d 6d646174"));
    }

    [Fact]
    public void Audio_of_equal_durations_has_sizes_alone_and_only_sync_samples()
    {
        Sample[] samples = [Of(300, 0, 0, duration: 1024), Of(301, 1024, 1024, duration: 1024), Of(299, 2048, 2048, duration: 1024)];
        Hex.Of(Write(1, samples, TrackKind.Audio)).ShouldBe(Joined(
            "0000006c 6d6f6f66",
            "00000010 6d666864 00000000 00000001",
            "00000054 74726166",
            "00000018 74666864 00020028 00000001 00000400 02000000",
            "00000014 74666474 01000000 0000000000000000",
            "00000020 7472756e 01000201 00000003 00000074  0000012c 0000012d 0000012b",
            "0000038c 6d646174"));
    }

    [Fact]
    public void A_start_without_a_key_picture_has_one_default_for_all_flags()
    {
        Sample[] samples = [Of(50, 3000, 3000), Of(60, 6000, 6000)];
        Hex.Of(Write(2, samples)).ShouldBe(Joined(
            "00000068 6d6f6f66",
            "00000010 6d666864 00000000 00000002",
            "00000050 74726166",
            "00000018 74666864 00020028 00000001 00000bb8 01010000",
            "00000014 74666474 01000000 0000000000000bb8",
            "0000001c 7472756e 01000201 00000002 00000070  00000032 0000003c",
            "00000076 6d646174"));
    }

    [Fact]
    public void A_key_picture_in_the_middle_gives_each_sample_its_flags()
    {
        Sample[] samples = [Of(9, 0, 0), Of(9, 3000, 3000, true), Of(9, 6000, 6000, duration: 3001)];
        Hex.Of(Write(3, samples)).ShouldBe(Joined(
            "00000074 6d6f6f66",
            "00000010 6d666864 00000000 00000003",
            "0000005c 74726166",
            "00000014 74666864 00020010 00000001 00000009",
            "00000014 74666474 01000000 0000000000000000",
            "0000002c 7472756e 01000501 00000003 0000007c",
            "00000bb8 01010000  00000bb8 02000000  00000bb9 01010000",
            "00000023 6d646174"));
    }

    [Theory]
    [InlineData("K", "K")]
    [InlineData("Kppp", "Kppp")]
    [InlineData("pKKK", "pKKK")]
    [InlineData("KpKp", "KpKp")]
    [InlineData("KKpp", "KKpp")]
    [InlineData("pppK", "pppK")]
    public void Flags_come_back_however_keys_and_others_mix(string pictures, string read)
    {
        Sample[] samples = [.. pictures.Select((picture, i) => Of(i + 1, 3000 * i, 3000 * i, picture == 'K'))];
        byte[] fragment = Fill(Write(1, samples), samples);
        string.Concat(FragmentReader.Read(fragment).Select(static sample => sample.Flags == Sync ? 'K' : sample.Flags == Dependent ? 'p' : '?'))
            .ShouldBe(read);
    }

    [Fact]
    public void Any_fragment_reads_back_as_it_was()
    {
        var random = new Random(20_8216);
        for (int round = 0; round < 500; round++)
        {
            // Each property is either shared by all samples or drawn for each.
            var samples = new Sample[random.Next(1, 20)];
            bool ownLength = random.Next(2) == 0, ownDuration = random.Next(2) == 0, isReordered = random.Next(2) == 0;
            long dts = random.NextInt64(1L << 40);
            for (int i = 0; i < samples.Length; i++)
            {
                samples[i] = Of(ownLength ? random.Next(300) : 40, dts, dts + (isReordered ? random.Next(5) * 3000 : 0),
                    random.Next(3) == 0, ownDuration ? random.Next(9000) : 3000);
                dts += samples[i].Duration;
            }

            List<ReadSample> read = FragmentReader.Read(Fill(Write((uint)round, samples), samples));
            read.Select(static sample => (sample.Payload.Length, sample.Dts, sample.Pts, (int)sample.Duration, sample.Flags == Sync))
                .ShouldBe(samples.Select(static sample => (sample.Length, sample.Dts, sample.Pts, sample.Duration, sample.IsKey)));
        }
    }

    [Fact]
    public void What_no_box_can_say_is_refused()
    {
        Should.Throw<ArgumentOutOfRangeException>(static () => Fragment.MeasureHeader([], TrackKind.Video));
        Should.Throw<OverflowException>(static () => Write(1, [Of(1, -1, 0)]));
        Should.Throw<OverflowException>(static () => Write(1, [Of(-1, 0, 0)]));
        Should.Throw<OverflowException>(static () => Write(1, [Of(1, 0, 0, duration: -1)]));
        Should.Throw<OverflowException>(static () => Write(1, [Of(int.MaxValue, 0, 0), Of(int.MaxValue, 3000, 3000), Of(2, 6000, 6000)]));
    }

    private static Sample Of(int length, long dts, long pts, bool isKey = false, int duration = 3000) =>
        new() { Length = length, Dts = dts, Pts = pts, Duration = duration, IsKey = isKey };

    private static byte[] Write(uint sequence, Sample[] samples, TrackKind kind = TrackKind.Video)
    {
        byte[] header = new byte[Fragment.MeasureHeader(samples, kind)];
        Fragment.WriteHeader(header, sequence, samples, kind).ShouldBe(header.Length);
        return header;
    }

    private static byte[] Fill(byte[] header, Sample[] samples) => [.. header, .. new byte[samples.Sum(static sample => sample.Length)]];

    private static string Joined(params string[] lines) => string.Concat(lines).Replace(" ", "", StringComparison.Ordinal);
}
