using System.Collections.Concurrent;
using Millrace.Node.Settings;
using Millrace.Streams;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>What the settings mean for the packagers of an app.</summary>
internal sealed class HlsPlan(NodeSettings settings)
{
    // By what the settings say, not by app: names of apps are made up by clients.
    private readonly ConcurrentDictionary<HlsSettings, HlsOptions> _options = new();

    public HlsOptions Of(StreamName name) =>
        _options.GetOrAdd(settings.HlsOf(settings.VhostOf(name.Vhost), name.App), static hls => ToOptions(hls));

    private static HlsOptions ToOptions(HlsSettings hls)
    {
        var cuts = new CutRule
        {
            SegmentMicros = hls.Segment.ToMicros(),
            PartMicros = hls.Part.ToMicros(),
            IsStrict = hls.Keyframes == HlsKeyframes.Strict,
        };
        return new HlsOptions
        {
            IsEnabled = hls.Enabled,
            Cuts = cuts,
            Segments = hls.Segments,
            HoldBackParts = hls.HoldBack,
            IsWarm = hls.Warm == HlsWarm.Always,
            IdleMicros = hls.Idle.ToMicros(),
            Ts = hls.Ts.Enabled ? ToOptions(hls.Ts, cuts) : null,
        };
    }

    private static TsOptions ToOptions(TsHlsSettings ts, CutRule lowLatency)
    {
        var cuts = lowLatency with
        {
            PartMicros = 0,
            SegmentMicros = ts.Fragment?.ToMicros() ?? lowLatency.SegmentMicros,
            Mode = ts.Slicing == TsSlicing.Aligned ? CutMode.Aligned : ts.Cut == TsCut.After ? CutMode.After : CutMode.Fitting,
            IsContinuous = ts.Continuous,
            Naming = ts.Naming switch
            {
                TsNaming.Timestamp => SegmentNaming.Timestamp,
                TsNaming.System => SegmentNaming.System,
                _ => SegmentNaming.Sequential,
            },
            Granularity = ts.Granularity,
        };
        return new TsOptions
        {
            Cuts = cuts == lowLatency with { PartMicros = 0 } ? null : cuts,
            WindowMicros = ts.PlaylistLength?.ToMicros() ?? 0,
            IsEvent = ts.Type == TsPlaylistType.Event,
            KeepsRemoved = !ts.Cleanup,
            IsEncrypted = ts.Encrypt,
            SegmentsPerKey = ts.FragmentsPerKey,
            HasPlainNames = ts.Names == TsNames.Plain,
            IsNested = ts.Nested,
        };
    }
}
