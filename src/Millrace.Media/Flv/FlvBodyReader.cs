using Millrace.Media.Bits;
using static Millrace.Media.Flv.FlvCodecs;

namespace Millrace.Media.Flv;

/// <summary>
/// Takes the body of an RTMP audio or video message (which is the body of an FLV tag) apart without copying: legacy FLV (annex E.4)
/// and Enhanced RTMP v2. Most bodies hold one payload, multitrack ones several. An empty body (a keep-alive of some senders) holds none
/// and is no error. A ModEx type that is not known is passed over, as the specification asks.
/// </summary>
public ref struct FlvBodyReader
{
    private readonly TrackKind _kind;
    private ByteReader _bytes;
    private State _state;
    private int _packetType;
    private int _frameType;
    private int _multitrackType;
    private int _nanoOffset;
    private Codec _codec;
    private bool _isKey;

    /// <param name="kind">Audio (message and tag type 8) or Video (9).</param>
    /// <param name="body">The whole body.</param>
    public FlvBodyReader(TrackKind kind, ReadOnlySpan<byte> body)
    {
        _kind = kind;
        _bytes = new ByteReader(body);
        _state = body.IsEmpty ? State.Done : State.Start;
    }

    private enum State : byte
    {
        Start,
        InTracks,
        Done,
    }

    /// <summary>Why the body cannot be read on; names a codec that is not carried. Payloads before that are good.</summary>
    public string? Error { get; private set; }

    /// <summary>False at the end and after an error.</summary>
    public bool TryRead(out FlvPayload payload)
    {
        payload = default;
        switch (_state)
        {
            case State.Done: return false;
            case State.InTracks: return TryReadTrack(out payload);
            default:
                _state = State.Done;
                _bytes.TryReadByte(out byte first);
                return _kind == TrackKind.Audio ? TryReadAudio(first, out payload) : TryReadVideo(first, out payload);
        }
    }

    private bool TryReadAudio(byte first, out FlvPayload payload)
    {
        payload = default;
        _isKey = true;
        int format = first >> 4;
        switch (format)
        {
            case ExAudioId:
                return TryReadExtended(first & 0x0F, out payload);
            case AacId:
                _codec = Codec.Aac;
                if (!_bytes.TryReadByte(out byte aacType))
                    return Fail("AAC message is cut short");
                _packetType = aacType;
                return aacType <= CodedFrames ? TryTake(0, 0, _bytes.Rest, out payload) : Fail($"AAC packet type {aacType} is unknown");
            case Mp3Id or Mp3At8KhzId:
                _codec = Codec.Mp3;
                _packetType = CodedFrames;
                return TryTake(0, 0, _bytes.Rest, out payload);
            default:
                return Fail($"audio codec id {format} is not supported");
        }
    }

    private bool TryReadVideo(byte first, out FlvPayload payload)
    {
        payload = default;
        const int ExHeader = 0x80;
        _frameType = (first >> 4) & 7;
        _isKey = _frameType is KeyFrame or GeneratedKeyFrame;
        if ((first & ExHeader) != 0)
            return TryReadExtended(first & 0x0F, out payload);

        int id = first & 0x0F;
        _codec = id switch { H264Id => Codec.H264, HevcId => Codec.Hevc, _ => Codec.None };
        if (_codec == Codec.None)
            return _frameType == CommandFrame ? TakeCommand(out payload) : Fail($"video codec id {id} is not supported");
        bool hasType = _bytes.TryReadByte(out byte type), hasTime = _bytes.TryReadSpan(3, out ReadOnlySpan<byte> time);
        if (_frameType == CommandFrame)
            return TakeCommand(out payload);
        // Some senders end a sequence with two bytes; nothing follows that could be missed.
        if (!hasType || (!hasTime && type != SequenceEnd))
            return Fail("video message is cut short");
        _packetType = type;
        return type <= SequenceEnd
            ? TryTake(0, type == CodedFrames ? BigEndian.ReadInt24(time) : 0, _bytes.Rest, out payload)
            : Fail($"video packet type {type} is unknown");
    }

    /// <summary>ExAudioTagHeader and ExVideoTagHeader.</summary>
    private bool TryReadExtended(int packetType, out FlvPayload payload)
    {
        payload = default;
        _packetType = packetType;
        while (_packetType == ModEx)
        {
            if (!TryReadModEx())
                return Fail("ModEx is cut short");
        }

        bool isVideo = _kind == TrackKind.Video;
        if (isVideo && _frameType == CommandFrame && _packetType != VideoMetadata)
            return TakeCommand(out payload);

        bool isMultitrack = _packetType == (isVideo ? VideoMultitrack : AudioMultitrack);
        if (!isMultitrack)
            return TryReadCodec() && TryTakeBody(0, _bytes.Rest, out payload);

        if (!_bytes.TryReadByte(out byte types))
            return Fail("multitrack message is cut short");
        _multitrackType = types >> 4;
        _packetType = types & 0x0F;
        if (_multitrackType > ManyTracksManyCodecs)
            return Fail($"multitrack type {_multitrackType} is unknown");
        if (_multitrackType != ManyTracksManyCodecs && !TryReadCodec())
            return false;
        return TryReadTrack(out payload);
    }

    /// <summary>Size, data, then its type and the packet type that follows. 256 announces a 16-bit size.</summary>
    private bool TryReadModEx()
    {
        const int TimestampOffsetNano = 0, WideSize = 256, NanosecondsPerMillisecond = 1_000_000;
        if (!_bytes.TryReadByte(out byte small))
            return false;
        int size = small + 1;
        if (size == WideSize)
        {
            if (!_bytes.TryReadUInt16(out int wide))
                return false;
            size = wide + 1;
        }

        if (!_bytes.TryReadSpan(size, out ReadOnlySpan<byte> data) || !_bytes.TryReadByte(out byte types))
            return false;
        if (types >> 4 == TimestampOffsetNano && data.Length >= 3)
            _nanoOffset = Math.Min(BigEndian.ReadUInt24(data), NanosecondsPerMillisecond - 1);
        _packetType = types & 0x0F;
        return true;
    }

    private bool TryReadTrack(out FlvPayload payload)
    {
        payload = default;
        _state = State.Done;
        if (_multitrackType == ManyTracksManyCodecs && !TryReadCodec())
            return false;
        if (!_bytes.TryReadByte(out byte trackId))
            return Fail("multitrack message is cut short");
        ReadOnlySpan<byte> data = _bytes.Rest;
        if (_multitrackType != OneTrack)
        {
            if (!_bytes.TryReadUInt24(out int size) || !_bytes.TryReadSpan(size, out data))
                return Fail("multitrack message is cut short");
            _state = _bytes.Rest.IsEmpty ? State.Done : State.InTracks;
        }

        return TryTakeBody(trackId, data, out payload);
    }

    private bool TryReadCodec()
    {
        if (!_bytes.TryReadUInt32(out uint fourCc))
            return Fail("message is cut short before its FourCC");
        _codec = FromFourCc(fourCc);
        return (_codec != Codec.None && CodecInfo.KindOf(_codec) == _kind) || Fail($"{_kind} FourCC {Describe(fourCc)} is not supported");
    }

    private bool TryTakeBody(byte trackId, ReadOnlySpan<byte> data, out FlvPayload payload)
    {
        int time = 0;
        if (_packetType == CodedFrames && HasCompositionTime(_codec))
        {
            if (data.Length < 3)
            {
                payload = default;
                return Fail("coded frames are cut short before their composition time");
            }

            time = BigEndian.ReadInt24(data);
            data = data[3..];
        }

        return TryTake(trackId, time, data, out payload);
    }

    private bool TryTake(byte trackId, int time, ReadOnlySpan<byte> data, out FlvPayload payload)
    {
        payload = default;
        FlvPacketType? type = (_packetType, _kind) switch
        {
            (SequenceStart, _) => FlvPacketType.SequenceStart,
            (CodedFrames, _) or (VideoCodedFramesX, TrackKind.Video) => FlvPacketType.Frames,
            (SequenceEnd, _) => FlvPacketType.SequenceEnd,
            (VideoMetadata, TrackKind.Video) => FlvPacketType.Metadata,
            (VideoMpeg2TsSequenceStart, TrackKind.Video) => FlvPacketType.Mpeg2TsSequenceStart,
            (AudioMultichannelConfig, TrackKind.Audio) => FlvPacketType.MultichannelConfig,
            _ => null,
        };
        if (type is null)
            return Fail($"{_kind} packet type {_packetType} is unknown");

        payload = new FlvPayload
        {
            Kind = _kind,
            TrackId = trackId,
            Codec = _codec,
            Type = type.Value,
            IsKey = _isKey,
            IsDisposable = _frameType == DisposableFrame,
            CompositionTimeMs = time,
            TimestampNanoOffset = _nanoOffset,
            Data = data,
        };
        return true;
    }

    private bool TakeCommand(out FlvPayload payload)
    {
        payload = new FlvPayload { Kind = TrackKind.Video, Codec = _codec, Type = FlvPacketType.Command, Data = _bytes.Rest };
        return true;
    }

    private bool Fail(string error)
    {
        _state = State.Done;
        Error = error;
        return false;
    }

    /// <summary>The four characters, or hexadecimal when they are not printable: the text goes to a log.</summary>
    private static string Describe(uint fourCc)
    {
        Span<char> text = stackalloc char[4];
        for (int i = 0; i < 4; i++)
        {
            text[i] = (char)((fourCc >> (24 - (8 * i))) & 0xFF);
            if (text[i] is < ' ' or > '~')
                return $"0x{fourCc:X8}";
        }

        return $"'{text}'";
    }
}
