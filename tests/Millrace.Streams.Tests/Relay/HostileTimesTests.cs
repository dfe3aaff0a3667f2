using System.Buffers;
using System.Buffers.Binary;
using Millrace.Protocols.Relay;
using Millrace.Streams.Buffers;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Relay;
using Millrace.Streams.Tests.Hls;

namespace Millrace.Streams.Tests.Relay;

/// <summary>What another node says of dates is shown by a calendar, which throws beyond its years: such dates are refused where they are read.</summary>
public sealed class HostileTimesTests
{
    public static TheoryData<long, bool> Dates => new()
    {
        { 0, true },
        { 1_700_000_000_000_000, true },
        { RelayReader.EarliestDate, true },
        { RelayReader.LatestDate, true },
        { RelayReader.EarliestDate - 1, false },
        { RelayReader.LatestDate + 1, false },
        { long.MinValue, false },
        { long.MaxValue, false },
    };

    [Theory]
    [MemberData(nameof(Dates))]
    public void The_time_since_when_a_stream_is_live_is_a_date(long date, bool isTaken)
    {
        var rig = Live();
        var payload = Replace(StartOf(rig.Live), rig.Live.LiveSinceMicros, date);

        RelayStart.TryRead(payload, new HlsOptions(), out var start).ShouldBe(isTaken);

        if (isTaken)
            DateTimeOffset.FromUnixTimeMilliseconds(start!.LiveSinceMicros / 1_000).Year.ShouldBeInRange(1900, 3000);
    }

    [Theory]
    [MemberData(nameof(Dates))]
    public void The_wall_clock_of_an_era_is_a_date(long date, bool isTaken)
    {
        var rig = Live();
        var era = rig.Live.Timeline.Era!;
        var buffer = new ArrayBufferWriter<byte>();
        RelayFields.Write(new RelayWriter(buffer), era);
        var input = new RelayReader(Replace(buffer.WrittenSpan.ToArray(), era.EpochMicros, date));

        RelayFields.TryRead(ref input, out Era? _).ShouldBe(isTaken);
    }

    [Theory]
    [MemberData(nameof(Dates))]
    public void The_clock_and_the_way_of_a_unit_are_dates(long date, bool isTaken)
    {
        new RelayHops().TryTake(Clock(date, arrived: 0, offset: 0), isNew: true, out _).ShouldBe(isTaken);
        new RelayHops().TryTake(Clock(0, arrived: date, offset: 0), isNew: true, out _).ShouldBe(isTaken);
        new RelayHops().TryTake(Clock(0, arrived: 0, offset: RelayReader.MaxTime + 1), isNew: true, out _).ShouldBeFalse();
    }

    [Theory]
    [MemberData(nameof(Dates))]
    public void A_mark_has_a_date(long date, bool isTaken)
    {
        var rig = Live();
        var mark = rig.Stream.Entries.FindLast(static entry => entry is { Kind: LogEntryKind.Mark, Mark.Kind: MarkKind.Segment });
        TryRead(mark with { Pts = date }, rig.Live.Timeline.Era!).ShouldBe(isTaken);
        TryRead(mark with { Dts = long.MinValue }, rig.Live.Timeline.Era!).ShouldBeFalse("its name");
        TryRead(mark with { Mark = mark.Mark with { Number = -1 } }, rig.Live.Timeline.Era!).ShouldBeFalse("its number");
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(RelayReader.MaxTime, true)]
    [InlineData(RelayReader.MaxTime + 1, false)]
    [InlineData(long.MaxValue, false)]
    public void An_age_and_a_silence_are_spans_that_can_be_shown(long micros, bool isTaken)
    {
        var rig = Live();
        foreach (var (silence, age) in ((long, long)[])[(micros, 1), (1, micros)])
        {
            var buffer = new ArrayBufferWriter<byte>();
            var output = new RelayWriter(buffer);
            output.Flag(true);
            output.Number((ulong)silence);
            output.Number((ulong)age);
            output.Text("rtmp");
            output.Text("1.2.3.4:5");
            output.Bytes(StartOf(rig.Live));
            output.Number(0UL);

            RelayDescription.TryRead(buffer.WrittenSpan, out var description).ShouldBe(isTaken);

            if (isTaken)
                TimeSpan.FromMicroseconds(description!.AgeMicros + description.SilenceMicros).Ticks.ShouldBeGreaterThan(0);
        }
    }

    [Theory]
    [InlineData(RelayReader.LatestDate, RelayReader.MaxTime, -RelayReader.MaxTime)]
    [InlineData(RelayReader.EarliestDate, -RelayReader.MaxTime, RelayReader.MaxTime)]
    public void A_segment_has_a_date_wherever_it_is_said_to_begin(long date, long start, long border)
    {
        var stream = new TestStream();
        var mark = new LogEntry { DtsMicros = border, Pts = date };
        var segment = new HlsSegment(mark, "0123456789ab", -1, stream.Pool, stream.Budget[MemoryUse.HlsWindows]) { StartMicros = start };
        DateTime.UnixEpoch.AddMicroseconds(segment.DateMicros).Year.ShouldBeInRange(1900, 3000);
    }

    private static HlsRig Live()
    {
        var rig = new HlsRig();
        rig.Publish().Run(9);
        return rig;
    }

    private static byte[] StartOf(LiveStream stream)
    {
        var message = RelayStart.Write(stream, stream.Log!, stream.Log!.End);
        RelayFrame.TryReadHeader(message, out _, out var header, out _).ShouldBeTrue();
        return message[header..];
    }

    private static bool TryRead(in LogEntry mark, Era era)
    {
        var payload = new ArrayBufferWriter<byte>();
        RelayEntry.WriteMark(payload, mark);
        return RelayEntry.TryReadMark(payload.WrittenSpan, era, out _);
    }

    private static byte[] Clock(long epoch, long arrived, long offset)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var output = new RelayWriter(buffer);
        output.Fixed(epoch);
        output.Number(1UL);
        output.Text("node");
        output.Fixed(arrived);
        output.Signed(offset);
        output.Number(0UL);
        output.Text("rtmp");
        output.Text("1.2.3.4:5");
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A number of eight bytes is there once, and becomes another.</summary>
    private static byte[] Replace(byte[] payload, long old, long next)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, old);
        var at = payload.AsSpan().IndexOf(bytes);
        at.ShouldBeGreaterThanOrEqualTo(0);
        BinaryPrimitives.WriteInt64BigEndian(payload.AsSpan(at), next);
        return payload;
    }
}
