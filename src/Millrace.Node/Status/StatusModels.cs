using System.Text.Json.Serialization;
using Millrace.Node.Api;

namespace Millrace.Node.Status;

/// <summary>
/// What /status/format/json says, in the form of nginx-module-vts, so that its dashboards and collectors go on working; the
/// list of streams is an addition.
/// </summary>
/// <param name="LoadMsec">When the process started, Unix milliseconds.</param>
/// <param name="NowMsec">Unix milliseconds.</param>
/// <param name="ServerZones">By vhost; <c>*</c> is the sum.</param>
/// <param name="FilterZones">By vhost, then <c>app::format</c>, or <c>format</c> for what belongs to no app.</param>
internal sealed record StatusReply(
    string HostName, string ModuleVersion, string NginxVersion, long LoadMsec, long NowMsec, StatusConnections Connections,
    StatusShared SharedZones, IReadOnlyDictionary<string, StatusZone> ServerZones,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, StatusZone>> FilterZones,
    IReadOnlyDictionary<string, StatusZone> UpstreamZones, IReadOnlyDictionary<string, StatusZone> CacheZones,
    IReadOnlyList<StreamReply> Streams);

/// <summary>Connections of all media listeners.</summary>
/// <param name="Reading">Connections of publishers.</param>
/// <param name="Writing">Connections of players.</param>
/// <param name="Waiting">All others.</param>
/// <param name="Accepted">Ever, those over a limit included.</param>
/// <param name="Handled">Ever, without those.</param>
/// <param name="Requests">Answers, ever.</param>
internal sealed record StatusConnections(long Active, long Reading, long Writing, long Waiting, long Accepted, long Handled, long Requests);

/// <summary>Media memory, bytes.</summary>
/// <param name="UsedNode">Zones.</param>
internal sealed record StatusShared(string Name, long MaxSize, long UsedSize, long UsedNode);

/// <summary>One zone since the start.</summary>
/// <param name="RequestMsecCounter">Milliseconds of all requests together.</param>
/// <param name="RequestMsec">Milliseconds of a request on average.</param>
internal sealed record StatusZone(
    long RequestCounter, long InBytes, long OutBytes, StatusResponses Responses, long RequestMsecCounter, long RequestMsec,
    StatusTimes RequestMsecs, StatusBuckets RequestBuckets, StatusOverflows OverCounts);

/// <summary>Answers by class of status. There is no cache in the way: its figures are 0.</summary>
internal sealed record StatusResponses(
    [property: JsonPropertyName("1xx")] long Informational, [property: JsonPropertyName("2xx")] long Success,
    [property: JsonPropertyName("3xx")] long Redirection, [property: JsonPropertyName("4xx")] long ClientError,
    [property: JsonPropertyName("5xx")] long ServerError, long Miss = 0, long Bypass = 0, long Expired = 0, long Stale = 0,
    long Updating = 0, long Revalidated = 0, long Hit = 0, long Scarce = 0);

/// <summary>Single requests' times are not kept.</summary>
internal sealed record StatusTimes(IReadOnlyList<long> Times, IReadOnlyList<long> Msecs)
{
    public static StatusTimes None { get; } = new([], []);
}

/// <summary>No histogram is kept.</summary>
internal sealed record StatusBuckets(IReadOnlyList<long> Msecs, IReadOnlyList<long> Counters)
{
    public static StatusBuckets None { get; } = new([], []);
}

/// <summary>Counters that went over their largest value: 63 bits last for 29,000 years at 10 TB/s.</summary>
internal sealed record StatusOverflows(
    long MaxIntegerSize, long RequestCounter, long InBytes, long OutBytes,
    [property: JsonPropertyName("1xx")] long Informational, [property: JsonPropertyName("2xx")] long Success,
    [property: JsonPropertyName("3xx")] long Redirection, [property: JsonPropertyName("4xx")] long ClientError,
    [property: JsonPropertyName("5xx")] long ServerError, long RequestMsecCounter)
{
    public static StatusOverflows None { get; } = new(long.MaxValue, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StatusReply))]
internal sealed partial class StatusJson : JsonSerializerContext;
