using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Packaging;

namespace Millrace.Streams.Relay;

/// <summary>All that another node must know of a Timeline before the log's entry of a number: <see cref="RelayMessageType.Start"/>.</summary>
internal sealed record RelayStart
{
    public required TimelineId Timeline { get; init; }

    /// <summary>Number of the entry that comes next.</summary>
    public required long Number { get; init; }

    /// <summary>Unix time at which the Timeline's first unit came, microseconds.</summary>
    public required long LiveSinceMicros { get; init; }

    /// <summary>The nodes that the log has come through, its authority first, the sender last.</summary>
    public required IReadOnlyList<string> Path { get; init; }

    /// <summary>How the authority packages.</summary>
    public required HlsOptions Hls { get; init; }

    /// <summary>The Era of the entry that comes next; null where that begins one.</summary>
    public required Era? Era { get; init; }

    public required ReadOnlyMemory<byte> Metadata { get; init; }

    /// <summary>Writes the whole message.</summary>
    public static byte[] Write(LiveStream stream, StreamLog log, long number)
    {
        var payload = new ArrayBufferWriter<byte>(1_024);
        var isInEra = number < log.End && log[number].Kind != LogEntryKind.EraStart;
        Write(new RelayWriter(payload), stream, number, isInEra ? log.EraOf(log[number].EraNumber) : null);
        var message = new ArrayBufferWriter<byte>(payload.WrittenCount + RelayFrame.MaxHeader);
        RelayWriter.Message(message, RelayMessageType.Start, payload.WrittenSpan);
        return message.WrittenSpan.ToArray();
    }

    /// <summary>Writes the payload.</summary>
    public static void Write(RelayWriter output, LiveStream stream, long number, Era? era)
    {
        output.Fixed((long)stream.Timeline.Id);
        output.Bytes(stream.Timeline.Secret);
        output.Number((ulong)number);
        output.Fixed(stream.LiveSinceMicros);
        RelayFields.WritePath(output, stream);
        RelayFields.Write(output, stream.Hls);
        output.Bytes(stream.Metadata.Span);
        output.Flag(era is not null);
        if (era is not null)
            RelayFields.Write(output, era);
    }

    /// <param name="payload">Of the message.</param>
    /// <param name="local">This node's own settings, for what each node decides by itself.</param>
    /// <param name="start">What it says.</param>
    public static bool TryRead(ReadOnlySpan<byte> payload, HlsOptions local, [NotNullWhen(true)] out RelayStart? start)
    {
        start = null;
        var input = new RelayReader(payload);
        if (!input.TryFixed(out var id) || !input.TryBytes(TimelineId.SecretBytes, out var secret) || secret.Length != TimelineId.SecretBytes
            || !input.TryNumber(long.MaxValue, out long number) || !input.TryFixedDate(out var liveSince) || !RelayFields.TryReadPath(ref input, out var path)
            || !RelayFields.TryRead(ref input, local, out HlsOptions? hls) || !input.TryBytes(StreamMetadata.MaxBytes, out var metadata)
            || !input.TryFlag(out var isInEra))
        {
            return false;
        }

        Era? era = null;
        if (isInEra && !RelayFields.TryRead(ref input, out era))
            return false;

        start = new RelayStart
        {
            Timeline = new TimelineId((ulong)id, secret.ToArray()),
            Number = number,
            LiveSinceMicros = liveSince,
            Path = path,
            Hls = hls,
            Era = era,
            Metadata = metadata.ToArray(),
        };
        return true;
    }
}
