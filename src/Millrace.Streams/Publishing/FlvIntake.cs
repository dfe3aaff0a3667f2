using System.Buffers;
using System.Buffers.Binary;
using Millrace.Media;
using Millrace.Media.Amf;
using Millrace.Media.Codecs;
using Millrace.Media.Flv;

namespace Millrace.Streams.Publishing;

/// <summary>
/// Takes RTMP message bodies (which are FLV tag bodies) apart into what the log holds: Configs, access units without
/// parameter sets and delimiters, data. Every method returns null, or the reason why the publisher has to go.
/// </summary>
internal sealed class FlvIntake(PublisherLease lease)
{
    /// <summary>The header bits that make an MP3 or AC-3 stream what it is: version, layer, rate, mode.</summary>
    private const uint Mp3HeaderMask = 0xFFFE0CC0;

    /// <summary>
    /// Longest decoder configuration and metadata, bytes: each viewer is sent both before its first frame, out of memory of
    /// its own. Real ones stay below 2 KB (and 20 KB with an index of key frames).
    /// </summary>
    public const int MaxHeaderBytes = 64 * 1024;

    /// <summary>Longest access unit and data message: what FLV can say (24 bits), less the longest header that a format puts before it.</summary>
    public const int MaxUnitBytes = FlvTagHeader.MaxBodyLength - FlvBodyWriter.MaxHeaderLength;

    private TrackState[] _tracks = [];
    private ArrayBufferWriter<byte>? _stripped; // few publishers need it

    /// <param name="kind">Audio or video: the message's type.</param>
    /// <param name="body">The message body.</param>
    /// <param name="sender">Sender's time, microseconds, wraps undone.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public string? Receive(TrackKind kind, ReadOnlySpan<byte> body, long sender, long now)
    {
        // librtmp and others send empty messages to say that a kind of media is over.
        if (body.IsEmpty)
            return null;
        var reader = new FlvBodyReader(kind, body);
        while (reader.TryRead(out var payload))
        {
            var error = payload.Type switch
            {
                FlvPacketType.SequenceStart => ReceiveConfig(payload),
                FlvPacketType.Frames => ReceiveFrame(payload, sender + (payload.TimestampNanoOffset / 1_000), now),
                _ => null,
            };
            if (error is not null)
                return error;
        }

        return reader.Error;
    }

    /// <summary>A data message: onMetaData becomes the stream's metadata, all else passes byte for byte.</summary>
    public string? ReceiveData(ReadOnlySpan<byte> body, long sender, long now)
    {
        if (body.IsEmpty)
            return null;
        if (body.Length > MaxUnitBytes)
            return $"a data message of {body.Length} bytes";
        var reader = new Amf0Reader(body);
        if (!reader.TryReadString(out var name))
            return Explain(lease.AppendData(sender, body, now));
        if (name == "@setDataFrame")
        {
            body = body[reader.Consumed..];
            reader = new Amf0Reader(body);
            if (!reader.TryReadString(out name))
                return null;
        }

        if (name != "onMetaData")
            return Explain(lease.AppendData(sender, body, now));
        if (reader.TryRead(out var value))
            lease.Promise(Announces(value, "videocodecid"), Announces(value, "audiocodecid"));
        // Metadata that is too long (the key-frame index of a long recording) is left out; joiners are told what the tracks say.
        return body.Length > MaxHeaderBytes ? null : Explain(lease.SetMetadata(body, now));
    }

    private static bool Announces(AmfValue metadata, string name) =>
        metadata[name] is { } codec && !(codec.Kind == AmfKind.Number && codec.Number == 0) && !codec.IsNothing;

    private string? ReceiveConfig(in FlvPayload payload)
    {
        if (payload.Codec == Codec.Opus && Opus.IsCommentHeader(payload.Data))
            return null;
        var state = Find(payload);
        if (state.Config is { } known && known.Codec == payload.Codec && known.InitData.Span.SequenceEqual(payload.Data))
            return null;
        if (!ConfigParser.TryParse(payload.Codec, payload.Data, out var config, out var error))
            return $"{CodecInfo.NameOf(payload.Codec)}: {error}";
        return Use(state, config);
    }

    private string? ReceiveFrame(in FlvPayload payload, long sender, long now)
    {
        if (payload.Data.IsEmpty)
            return null;
        if (payload.Data.Length > MaxUnitBytes)
            return $"{CodecInfo.NameOf(payload.Codec)}: an access unit of {payload.Data.Length} bytes";
        var state = Find(payload);
        var error = payload.Codec switch
        {
            Codec.Mp3 or Codec.Ac3 or Codec.Eac3 => DescribeByFrame(state, payload),
            Codec.Vp9 when payload.IsKey => DescribeByFrame(state, payload),
            Codec.Av1 when payload.IsKey => TakeSequenceHeader(state, payload),
            _ => null,
        };
        if (error is not null || state.Config is null)
            return error;
        var data = payload.Codec == Codec.Av1 ? Av1.WithoutDelimiter(payload.Data) : payload.Data;
        if (payload.Codec is Codec.H264 or Codec.Hevc && (error = TakeParameterSets(state, payload, ref data)) is not null)
            return error;
        return data.IsEmpty
            ? null
            : Explain(lease.Append(payload.Kind, payload.TrackId, sender, payload.CompositionTimeMs * 1_000L, payload.IsKey, data, now));
    }

    private string? DescribeByFrame(TrackState state, in FlvPayload payload)
    {
        var header = payload.Data.Length >= sizeof(uint) ? BinaryPrimitives.ReadUInt32BigEndian(payload.Data) & Mp3HeaderMask : 0;
        var isKnown = state.Config?.Codec == payload.Codec && (payload.Codec == Codec.Mp3 ? header == state.Header : state.Config.Width > 0 || state.Config.SampleRate > 0);
        if (isKnown)
            return null;
        var declared = state.Config?.Codec == payload.Codec ? state.Config : null;
        if (!ConfigParser.TryParseFromFrame(payload.Codec, payload.Data, declared, out var config, out var error))
            return declared is null ? $"{CodecInfo.NameOf(payload.Codec)}: {error}" : null;
        state.Header = header;
        return Use(state, config);
    }

    private string? TakeSequenceHeader(TrackState state, in FlvPayload payload) =>
        Av1.TryUpdate(state.Config, payload.Data, out var changed, out _) ? Use(state, changed) : null;

    /// <summary>Parameter sets are not in-band in the log: new ones become a Config, all of them leave the access unit.</summary>
    private string? TakeParameterSets(TrackState state, in FlvPayload payload, ref ReadOnlySpan<byte> data)
    {
        var lengthSize = state.Config!.NalLengthSize;
        var summary = NalUnits.Inspect(payload.Codec, data, lengthSize);
        if (!summary.IsValid)
            return $"{CodecInfo.NameOf(payload.Codec)}: a NAL unit that is longer than its access unit";
        if (!summary.NeedsStrip)
            return null;
        if (summary.HasParameterSets && ParameterSets.TryUpdate(payload.Codec, state.Config, data, lengthSize, out var changed, out _))
        {
            var error = Use(state, changed);
            if (error is not null)
                return error;
        }

        _stripped ??= new ArrayBufferWriter<byte>(data.Length);
        _stripped.ResetWrittenCount();
        if (NalUnits.TryStrip(payload.Codec, data, lengthSize, _stripped))
            data = _stripped.WrittenSpan;
        return null;
    }

    private string? Use(TrackState state, Config config)
    {
        if (config.InitData.Length > MaxHeaderBytes)
            return $"{CodecInfo.NameOf(config.Codec)}: a decoder configuration of {config.InitData.Length} bytes, more than {MaxHeaderBytes}";
        state.Config = config;
        return Explain(lease.SetConfig(state.TrackId, config));
    }

    private TrackState Find(in FlvPayload payload)
    {
        foreach (var state in _tracks)
        {
            if (state.Kind == payload.Kind && state.TrackId == payload.TrackId)
                return state;
        }

        var added = new TrackState { Kind = payload.Kind, TrackId = payload.TrackId };
        if (_tracks.Length < PublisherLease.MaxTracks)
            _tracks = [.. _tracks, added];
        return added;
    }

    private static string? Explain(AppendResult result) => result switch
    {
        AppendResult.Done => null,
        AppendResult.Stale => "the right to publish has passed to another publisher",
        AppendResult.OutOfMemory => "the media memory budget is used up",
        _ => $"more than {PublisherLease.MaxTracks} tracks",
    };

    private sealed class TrackState
    {
        public TrackKind Kind { get; init; }

        public byte TrackId { get; init; }

        public Config? Config { get; set; }

        public uint Header { get; set; }
    }
}
