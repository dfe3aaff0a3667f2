using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Millrace.Protocols.Relay;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;

namespace Millrace.Streams.Relay;

/// <summary>
/// All that a node knows of a stream, without its media: what a play begins with (<see cref="RelayMessageType.Start"/>, <see cref="RelayMessageType.Playlists"/>) as of
/// the log's end. The payload of the answer to <see cref="RelayMessageType.Describe"/>.
/// </summary>
internal sealed record RelayDescription
{
    private const int MaxFormats = 8;

    /// <summary>Timeline, Era, metadata and the nodes above; its number is that of the entry that comes next.</summary>
    public required RelayStart Start { get; init; }

    /// <summary>False while the publisher is away, and may come back.</summary>
    public required bool IsLive { get; init; }

    /// <summary>Since the newest unit came, microseconds.</summary>
    public required long SilenceMicros { get; init; }

    /// <summary>Since the Timeline's first unit came, microseconds, by the clock of the node that describes.</summary>
    public required long AgeMicros { get; init; }

    /// <summary>Who publishes at the authority; null where that is not known.</summary>
    public required RelayedPublisher? Publisher { get; init; }

    /// <summary>Of the forms of HLS that were asked for, those that are packaged there.</summary>
    public required IReadOnlyList<RelayPlaylistState> Playlists { get; init; }

    /// <summary>Writes the payload: <c>live(1 byte) silence age protocol remote</c>, the start behind its length, <c>count (form(1 byte) listed state)…</c>. Inside the stream's lock.</summary>
    public static void Write(IBufferWriter<byte> target, LiveStream stream, StreamLog log, IReadOnlyList<HlsPackager> packagers, long now)
    {
        var output = new RelayWriter(target);
        var unixNow = now + stream.Resources.Options.UnixOffsetMicros;
        output.Flag(stream.State == StreamState.Live);
        output.Number(Math.Max(0, now - stream.Timeline.LastArrivedMicros));
        output.Number(Math.Max(0, unixNow - stream.LiveSinceMicros));
        output.Text(RelayText.Cut(stream.Publisher?.Protocol ?? "", RelayText.MaxNote));
        output.Text(RelayText.Cut(stream.Publisher?.Remote ?? "", RelayText.MaxNote));
        var part = new ArrayBufferWriter<byte>(1_024);
        RelayStart.Write(new RelayWriter(part), stream, log.End, stream.Timeline.Era);
        output.Bytes(part.WrittenSpan);
        output.Number((ulong)packagers.Count);
        foreach (var packager in packagers)
        {
            part.ResetWrittenCount();
            RelayPlaylists.Write(part, packager, log.End);
            output.Byte((byte)packager.Format);
            output.Number((ulong)packager.Renditions[0].Known.Count(static known => known.IsListed));
            output.Bytes(part.WrittenSpan);
        }
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out RelayDescription? description)
    {
        description = null;
        var input = new RelayReader(payload);
        if (!input.TryFlag(out var isLive) || !input.TryNumber(RelayReader.MaxTime, out long silence) || !input.TryNumber(RelayReader.MaxTime, out long age)
            || !input.TryNote(out var protocol) || !input.TryNote(out var remote)
            || !input.TryBytes(RelayRules.MaxState, out var begin) || !RelayStart.TryRead(begin, new HlsOptions(), out var start)
            || !input.TryNumber(MaxFormats, out int count))
        {
            return false;
        }

        var playlists = new RelayPlaylistState[count];
        for (var i = 0; i < count; i++)
        {
            if (!input.TryByte(out var format) || !Enum.IsDefined((HlsFormat)format) || !input.TryNumber(int.MaxValue, out int listed) || !input.TryBytes(RelayRules.MaxState, out var state))
                return false;
            playlists[i] = new RelayPlaylistState((HlsFormat)format, listed, state.ToArray());
        }

        description = new RelayDescription
        {
            Start = start,
            IsLive = isLive,
            SilenceMicros = silence,
            AgeMicros = age,
            Publisher = protocol.Length > 0 ? new RelayedPublisher(protocol, remote) : null,
            Playlists = playlists,
        };
        return true;
    }
}

/// <summary>The playlists of one form.</summary>
/// <param name="Listed">Segments that a playlist of the first rendition lists.</param>
/// <param name="State">For <see cref="RelayPlaylists.TryRead"/>.</param>
internal sealed record RelayPlaylistState(HlsFormat Format, int Listed, ReadOnlyMemory<byte> State);
