using Millrace.Fuzz.Targets;

namespace Millrace.Fuzz;

/// <summary>Everything that bytes from elsewhere reach.</summary>
internal static class AllTargets
{
    public static IReadOnlyList<FuzzTarget> Create() =>
    [
        new RtmpServerTarget(),
        new RtmpClientTarget(),
        new RtmpChunkTarget(),
        new RelayServerTarget(),
        new RelayClientTarget(),
        new Amf0Target(),
        new Amf3Target(),
        new FlvBodyTarget(),
        new FlvTagTarget(),
        new IntakeTarget(),
        new ReplicaTarget(),
        new ConfigTarget(),
        new NalTarget(),
        new HttpTarget(),
        new AddressTarget(),
        new WebSocketTarget(),
        new HlsRequestTarget(),
        new PackagerTarget(),
        new SettingsTarget(),
    ];
}
