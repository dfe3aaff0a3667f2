using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Millrace.Media;
using Millrace.Protocols.Relay;
using Millrace.Streams.Log;

namespace Millrace.Streams.Relay;

/// <summary>How an entry of the log is written in a message: everything but what each node finds out by itself (place and arrival).</summary>
internal static class RelayEntry
{
    /// <summary>Longest fields before the payload of a unit.</summary>
    public const int MaxUnitFields = 4 * RelayWriter.MaxVarint;

    /// <summary>Writes a unit's fields; its payload follows. Returns their length.</summary>
    public static int WriteUnit(Span<byte> target, in LogEntry entry)
    {
        var length = RelayWriter.Write(target, ((ulong)entry.Track << 1) | (entry.IsKey ? 1UL : 0));
        length += RelayWriter.Write(target[length..], (ulong)entry.Number);
        length += RelayWriter.Write(target[length..], RelayWriter.ZigZag(entry.Dts));
        return length + RelayWriter.Write(target[length..], (ulong)(entry.Pts - entry.Dts));
    }

    /// <param name="payload">Of the message.</param>
    /// <param name="era">The Era that the entry belongs to.</param>
    /// <param name="entry">What is to be appended, but for its arrival.</param>
    /// <param name="unit">The access unit.</param>
    public static bool TryReadUnit(ReadOnlySpan<byte> payload, Era era, out LogEntry entry, out ReadOnlySpan<byte> unit)
    {
        entry = default;
        var input = new RelayReader(payload);
        unit = default;
        if (!input.TryNumber(long.MaxValue, out long track) || track >> 1 >= era.Tracks.Length || !input.TryNumber(Track.MaxConfigs, out int config)
            || !input.TryTime(out var dts) || !input.TryNumber(int.MaxValue, out long cts))
        {
            return false;
        }

        var of = era.Tracks[track >> 1];
        if (config >= Math.Max(1, of.Configs.Length))
            return false;
        entry = new LogEntry
        {
            Kind = LogEntryKind.Unit,
            IsKey = (track & 1) != 0,
            Track = (short)(track >> 1),
            Number = config,
            EraNumber = era.Number,
            Dts = dts,
            Pts = dts + cts,
            DtsMicros = Timescale.Convert(dts, of.Timescale, Timescale.Microseconds),
        };
        unit = input.Rest;
        return entry.DtsMicros is >= -RelayReader.MaxTime and <= RelayReader.MaxTime;
    }

    public static void WriteConfig(IBufferWriter<byte> target, in LogEntry entry, Config config)
    {
        var output = new RelayWriter(target);
        output.Number((ulong)entry.Track);
        output.Number((ulong)entry.Number);
        output.Signed(entry.Dts);
        output.Signed(entry.Pts);
        RelayFields.Write(output, config);
    }

    /// <param name="payload">Of the message.</param>
    /// <param name="era">The Era that the entry belongs to; the Config becomes one of its track's.</param>
    /// <param name="entry">What is to be appended.</param>
    public static bool TryReadConfig(ReadOnlySpan<byte> payload, Era era, out LogEntry entry)
    {
        entry = default;
        var input = new RelayReader(payload);
        if (!input.TryNumber(era.Tracks.Length - 1, out int track) || !input.TryNumber(Track.MaxConfigs, out int number) || !input.TryTime(out var dts)
            || !input.TryTime(out var pts) || !RelayFields.TryRead(ref input, out Config? config))
        {
            return false;
        }

        var of = era.Tracks[track];
        if (config.Codec != of.Codec || of.AddConfig(config) != number)
            return false;
        entry = new LogEntry
        {
            Kind = LogEntryKind.Config,
            Track = (short)track,
            Number = number,
            EraNumber = era.Number,
            Dts = dts,
            Pts = pts,
            DtsMicros = Timescale.Convert(dts, of.Timescale, Timescale.Microseconds),
        };
        return entry.DtsMicros is >= -RelayReader.MaxTime and <= RelayReader.MaxTime;
    }

    public static void WriteMark(IBufferWriter<byte> target, in LogEntry entry)
    {
        var output = new RelayWriter(target);
        output.Byte((byte)(((int)entry.Mark.Series << 2) | (entry.Mark.IsBreak ? 2 : 0) | (entry.Mark.Kind == MarkKind.Segment ? 1 : 0)));
        output.Signed(entry.Mark.Number);
        output.Number((ulong)entry.Mark.PartTargetMicros);
        output.Number((ulong)entry.Mark.TargetSeconds);
        output.Number((ulong)entry.Number);
        output.Signed(entry.DtsMicros);
        output.Signed(entry.Dts);
        output.Signed(entry.Pts);
    }

    public static bool TryReadMark(ReadOnlySpan<byte> payload, Era era, out LogEntry entry)
    {
        entry = default;
        var input = new RelayReader(payload);
        if (!input.TryByte(out var flags) || !Enum.IsDefined((MarkSeries)(flags >> 2)) || !input.TryTime(out var number) || number < 0
            || !input.TryNumber(int.MaxValue, out int partTarget) || !input.TryNumber(ushort.MaxValue, out int target) || target == 0
            || !input.TryNumber(int.MaxValue, out int discontinuities) || !input.TryTime(out var border) || !input.TryTime(out var name) || !input.TryDate(out var date))
        {
            return false;
        }

        var kind = (flags & 1) != 0 ? MarkKind.Segment : MarkKind.PartEnd;
        entry = new LogEntry
        {
            Kind = LogEntryKind.Mark,
            Mark = new Mark(number, partTarget, (ushort)target, kind, (MarkSeries)(flags >> 2), (flags & 2) != 0),
            Number = discontinuities,
            EraNumber = era.Number,
            DtsMicros = border,
            Dts = name,
            Pts = date,
        };
        return true;
    }

    public static void WriteFork(IBufferWriter<byte> target, in LogEntry entry, LiveStream stream)
    {
        var output = new RelayWriter(target);
        output.Fixed(entry.Dts);
        output.Fixed(entry.Pts);
        output.Signed(entry.DtsMicros);
        RelayFields.WritePath(output, stream);
    }

    /// <param name="payload">Of the message.</param>
    /// <param name="era">The Era that the entry belongs to.</param>
    /// <param name="entry">What is to be appended.</param>
    /// <param name="path">The nodes that the log comes through now, the one that decides first, the sender last.</param>
    public static bool TryReadFork(ReadOnlySpan<byte> payload, Era era, out LogEntry entry, [NotNullWhen(true)] out string[]? path)
    {
        path = null;
        var input = new RelayReader(payload);
        var isRead = input.TryFixed(out var next) & input.TryFixed(out var before) & input.TryTime(out var end) && RelayFields.TryReadPath(ref input, out path);
        entry = new LogEntry { Kind = LogEntryKind.Fork, EraNumber = era.Number, Dts = next, Pts = before, DtsMicros = end };
        return isRead;
    }

    public static void WritePause(IBufferWriter<byte> target, in LogEntry entry)
    {
        var output = new RelayWriter(target);
        output.Flag(entry.Number == 1);
        output.Signed(entry.DtsMicros);
    }

    public static bool TryReadPause(ReadOnlySpan<byte> payload, Era era, out LogEntry entry)
    {
        var input = new RelayReader(payload);
        var isRead = input.TryFlag(out var isClean) & input.TryTime(out var end);
        entry = new LogEntry { Kind = LogEntryKind.Pause, Number = isClean ? 1 : 0, EraNumber = era.Number, DtsMicros = end };
        return isRead;
    }
}
