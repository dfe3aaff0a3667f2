using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Millrace.Media;
using Millrace.Media.Codecs;
using Millrace.Protocols.Relay;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;
using Millrace.Streams.Log;
using Millrace.Streams.Publishing;

namespace Millrace.Streams.Relay;

/// <summary>How Eras, tracks, Configs and packaging settings are written in the relay's messages. What is read has been checked.</summary>
internal static class RelayFields
{
    /// <summary>More nodes than that are no tree but a loop.</summary>
    public const int MaxPath = 16;

    private const int MaxText = 256;
    private const int MaxCodecString = 64;
    private const int MaxRecord = FlvIntake.MaxHeaderBytes;
    private const int MaxDimension = 1 << 16;
    private const int MaxRate = 1 << 20;

    /// <summary>Of RFC 6381 what any codec uses: it goes into playlists, between quotes and commas.</summary>
    private static readonly SearchValues<byte> CodecStringBytes = SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-"u8);

    /// <summary>The nodes that a stream's log comes through, this one last.</summary>
    public static void WritePath(RelayWriter output, LiveStream stream)
    {
        output.Number((ulong)stream.Path.Count + 1);
        foreach (var node in stream.Path)
            output.Text(node);
        output.Text(stream.Resources.Node);
    }

    public static bool TryReadPath(ref RelayReader input, [NotNullWhen(true)] out string[]? path)
    {
        path = null;
        if (!input.TryNumber(MaxPath, out int count))
            return false;
        path = new string[count];
        for (var i = 0; i < count; i++)
        {
            if (!input.TryText(RelayNode.MaxLength, out var node) || !RelayNode.IsValid(node))
                return false;
            path[i] = node;
        }

        return true;
    }

    public static void Write(RelayWriter output, Era era)
    {
        output.Number((ulong)era.Number);
        output.Signed(era.StartMicros);
        output.Byte((byte)era.Reason);
        output.Fixed(era.EpochMicros);
        output.Number((ulong)era.Tracks.Length);
        foreach (var track in era.Tracks)
            Write(output, track);
    }

    public static bool TryRead(ref RelayReader input, [NotNullWhen(true)] out Era? era)
    {
        era = null;
        if (!input.TryNumber(int.MaxValue, out int number) || !input.TryTime(out var start) || !input.TryByte(out var reason) || !input.TryFixedDate(out var epoch)
            || !input.TryNumber(PublisherLease.MaxTracks + 1, out int count) || !Enum.IsDefined((EraReason)reason) || count == 0)
        {
            return false;
        }

        var tracks = new Track[count];
        for (var id = 0; id < count; id++)
        {
            if (!TryRead(ref input, id, out var track))
                return false;
            tracks[id] = track;
        }

        era = new Era(number, tracks, start, (EraReason)reason) { EpochMicros = epoch };
        return true;
    }

    public static void Write(RelayWriter output, Config config)
    {
        output.Byte((byte)config.Codec);
        output.Bytes(config.InitData.Span);
        output.Bytes(config.SampleEntryData.Span);
        output.Text(config.CodecString);
        output.Number((ulong)config.Width);
        output.Number((ulong)config.Height);
        output.Real(config.FrameRate);
        output.Number((ulong)config.NalLengthSize);
        output.Number((ulong)config.SampleRate);
        output.Number((ulong)config.Channels);
        output.Number((ulong)config.SamplesPerFrame);
    }

    public static bool TryRead(ref RelayReader input, [NotNullWhen(true)] out Config? config)
    {
        config = null;
        if (!input.TryByte(out var codec) || !Enum.IsDefined((Codec)codec)
            || !input.TryBytes(MaxRecord, out var initData) || !IsRecord((Codec)codec, initData) || !input.TryBytes(MaxRecord, out var entryData)
            || !input.TryBytes(MaxCodecString, out var codecString) || codecString.ContainsAnyExcept(CodecStringBytes)
            || !input.TryNumber(MaxDimension, out int width) || !input.TryNumber(MaxDimension, out int height) || !input.TryReal(out var frameRate)
            || !input.TryNumber(4, out int nalLengthSize) || !input.TryNumber(MaxRate, out int sampleRate) || !input.TryNumber(byte.MaxValue, out int channels)
            || !input.TryNumber(MaxRate, out int samplesPerFrame))
        {
            return false;
        }

        config = new Config
        {
            Codec = (Codec)codec,
            InitData = initData.ToArray(),
            SampleEntryData = entryData.ToArray(),
            CodecString = Encoding.ASCII.GetString(codecString),
            Width = width,
            Height = height,
            FrameRate = frameRate,
            NalLengthSize = nalLengthSize,
            SampleRate = sampleRate,
            Channels = channels,
            SamplesPerFrame = samplesPerFrame,
        };
        return true;
    }

    /// <summary>What packagers take fields out of without looking has them.</summary>
    private static bool IsRecord(Codec codec, ReadOnlySpan<byte> initData) =>
        codec is Codec.Mp3 or Codec.Ac3 or Codec.Eac3 || CodecInfo.KindOf(codec) == TrackKind.Data || ConfigParser.TryParse(codec, initData, out _, out _);

    public static void Write(RelayWriter output, HlsOptions hls)
    {
        output.Flag(hls.IsEnabled);
        Write(output, hls.Cuts);
        output.Number((ulong)hls.Segments);
        output.Number((ulong)hls.HoldBackParts);
        output.Flag(hls.Ts is not null);
        if (hls.Ts is not { } ts)
            return;
        output.Flag(ts.Cuts is not null);
        if (ts.Cuts is { } cuts)
            Write(output, cuts);
        output.Number((ulong)ts.WindowMicros);
        output.Flag(ts.IsEvent);
        output.Flag(ts.KeepsRemoved);
        output.Flag(ts.IsEncrypted);
        output.Number((ulong)ts.SegmentsPerKey);
        output.Flag(ts.HasPlainNames);
        output.Flag(ts.IsNested);
    }

    /// <param name="input">The fields.</param>
    /// <param name="local">When packaging starts and stops is each node's own matter.</param>
    /// <param name="hls">How the authority packages.</param>
    public static bool TryRead(ref RelayReader input, HlsOptions local, [NotNullWhen(true)] out HlsOptions? hls)
    {
        hls = null;
        TsOptions? ts = null;
        if (!input.TryFlag(out var isEnabled) || !TryRead(ref input, out CutRule? cuts) || !input.TryNumber(HlsOptions.MostSegments, out int segments)
            || !input.TryNumber(byte.MaxValue, out int holdBack) || !input.TryFlag(out var hasTs) || (hasTs && !TryRead(ref input, out ts)))
        {
            return false;
        }

        // As the settings have it.
        if (ts is not null && ts.WindowMicros > HlsOptions.MostSegments * (ts.Cuts ?? cuts).SegmentMicros)
            return false;
        hls = local with { IsEnabled = isEnabled, Cuts = cuts, Segments = segments, HoldBackParts = holdBack, Ts = ts };
        return true;
    }

    private static bool TryRead(ref RelayReader input, out TsOptions? ts)
    {
        ts = null;
        CutRule? cuts = null;
        if (!input.TryFlag(out var hasCuts) || (hasCuts && !TryRead(ref input, out cuts)) || !input.TryNumber(long.MaxValue, out long window)
            || !input.TryFlag(out var isEvent) || !input.TryFlag(out var keepsRemoved) || !input.TryFlag(out var isEncrypted)
            || !input.TryNumber(int.MaxValue, out int segmentsPerKey) || !input.TryFlag(out var hasPlainNames) || !input.TryFlag(out var isNested))
        {
            return false;
        }

        ts = new TsOptions
        {
            Cuts = cuts,
            WindowMicros = window,
            IsEvent = isEvent,
            KeepsRemoved = keepsRemoved,
            IsEncrypted = isEncrypted,
            SegmentsPerKey = segmentsPerKey,
            HasPlainNames = hasPlainNames,
            IsNested = isNested,
        };
        return true;
    }

    private static void Write(RelayWriter output, Track track)
    {
        output.Number((ulong)track.SourceId);
        output.Byte(track.WireId);
        output.Byte((byte)track.Codec);
        output.Number((ulong)track.Timescale);
        output.Text(track.Language ?? "");
        output.Text(track.Label ?? "");
        var configs = track.Configs;
        output.Number((ulong)configs.Length);
        foreach (var config in configs)
            Write(output, config);
    }

    private static bool TryRead(ref RelayReader input, int id, [NotNullWhen(true)] out Track? track)
    {
        track = null;
        if (!input.TryNumber(int.MaxValue, out int sourceId) || !input.TryByte(out var wireId) || !input.TryByte(out var codec) || !Enum.IsDefined((Codec)codec)
            || !input.TryNumber(MaxRate, out int timescale) || timescale == 0 || !input.TryText(MaxText, out var language) || !input.TryText(MaxText, out var label)
            || !input.TryNumber(Track.MaxConfigs, out int configs))
        {
            return false;
        }

        track = new Track(id, sourceId, wireId, (Codec)codec, timescale)
        {
            Language = language.Length > 0 ? language : null,
            Label = label.Length > 0 ? label : null,
        };
        for (var number = 0; number < configs; number++)
        {
            // Numbers must be the same on every node.
            if (!TryRead(ref input, out Config? config) || config.Codec != track.Codec || track.AddConfig(config) != number)
                return false;
        }

        return track.Kind == TrackKind.Data || configs > 0;
    }

    private static void Write(RelayWriter output, CutRule rule)
    {
        output.Byte((byte)rule.Mode);
        output.Number((ulong)rule.SegmentMicros);
        output.Number((ulong)rule.PartMicros);
        output.Flag(rule.IsContinuous);
        output.Flag(rule.IsStrict);
        output.Byte((byte)rule.Naming);
        output.Number((ulong)rule.Granularity);
    }

    private static bool TryRead(ref RelayReader input, [NotNullWhen(true)] out CutRule? rule)
    {
        rule = null;
        if (!input.TryByte(out var mode) || !Enum.IsDefined((CutMode)mode) || !input.TryNumber(CutRule.LongestSegmentMicros, out long segment)
            || segment < CutRule.ShortestMicros || !input.TryNumber(CutRule.LongestPartMicros, out long part) || part is > 0 and < CutRule.ShortestMicros
            || !input.TryFlag(out var isContinuous) || !input.TryFlag(out var isStrict)
            || !input.TryByte(out var naming) || !Enum.IsDefined((SegmentNaming)naming) || !input.TryNumber(long.MaxValue, out long granularity))
        {
            return false;
        }

        rule = new CutRule
        {
            Mode = (CutMode)mode,
            SegmentMicros = segment,
            PartMicros = part,
            IsContinuous = isContinuous,
            IsStrict = isStrict,
            Naming = (SegmentNaming)naming,
            Granularity = granularity,
        };
        return true;
    }
}
