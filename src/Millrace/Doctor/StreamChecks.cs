using Millrace.Node.Relay;
using Millrace.Node.Settings;

namespace Millrace.Doctor;

/// <summary>Who has a stream, and what of it.</summary>
internal static class StreamChecks
{
    /// <summary>Sources send some frames a second at the least; this is what RTMP servers take for a source that hangs.</summary>
    private static readonly TimeSpan MaxSilence = TimeSpan.FromSeconds(5);

    /// <param name="settings">Valid settings.</param>
    /// <param name="stream"><c>vhost/app/name</c>.</param>
    /// <param name="isRunning">The node of the settings runs here, and is asked as well.</param>
    /// <param name="cancellationToken">Ends the visit.</param>
    public static async Task<IReadOnlyList<DoctorCheck>> RunAsync(NodeSettings settings, string stream, bool isRunning, CancellationToken cancellationToken) =>
        await new StreamProbe(settings).RunAsync(stream, isRunning, cancellationToken) is { } found
            ? [.. Of(stream, found)]
            : [DoctorCheck.Fail($"stream {stream}", "that is no stream's name", "write vhost/app/name; the vhost of streams without one of their own is default")];

    internal static IEnumerable<DoctorCheck> Of(string stream, StreamProbeResult found)
    {
        var name = $"stream {stream}";
        if (found.Entry is { } entry)
            yield return Of($"{name} in the map", entry);
        var isFound = found.Answers.Any(static answer => answer.Facts is not null);
        foreach (var answer in found.Answers)
            yield return Of($"{name} at {answer.At}", answer, isFound);
        if (found.Answers.Count == 0)
            yield return DoctorCheck.Fail(name, "there is nobody to ask", "start the node, or give the vhost or app an origin; one whose relay listens with TLS alone is asked from another node");
        else if (!isFound)
            yield return DoctorCheck.Fail(name, "no node that was asked has it", "publish it, or check vhost, app and name");
    }

    private static DoctorCheck Of(string name, MapEntry entry) => entry switch
    {
        { Url: null } => DoctorCheck.Warn(name, "no node has registered it", "a node that has it must have cluster.advertise, and the same cluster.redis"),
        { At: { } at } => DoctorCheck.Ok(name, $"it is at {at}"),
        _ => DoctorCheck.Fail(name, "its value is not a URL that can be followed", "delete the key, and see who writes it"),
    };

    private static DoctorCheck Of(string name, StreamAnswer answer, bool isFound)
    {
        var who = answer.IsSelf ? $"this node, {answer.Node}," : $"node {answer.Node}";
        return answer switch
        {
            { Facts: { } facts } => Of(name, who, facts),
            { Outcome: RelayProbeOutcome.NotFound } when isFound => DoctorCheck.Ok(name, $"{who} does not have it now"),
            { Outcome: RelayProbeOutcome.NotFound } => DoctorCheck.Warn(name, $"{who} does not have it: {answer.Error}", "check that its publisher publishes, and under this name"),
            { Outcome: RelayProbeOutcome.Denied } => DoctorCheck.Fail(name, $"{who} does not tell: {answer.Error}", "check what that node allows to whom"),
            { Outcome: RelayProbeOutcome.Secret } => DoctorCheck.Fail(name, $"the secrets do not match: {answer.Error}", "relay.secret must be the same on all nodes"),
            _ => DoctorCheck.Fail(name, $"it cannot be asked: {answer.Error}", "check that a Millrace of this version runs there, its relay.listen, and firewalls"),
        };
    }

    private static DoctorCheck Of(string name, string who, StreamFacts facts)
    {
        var tracks = facts.Tracks.Count > 0 ? string.Join(", ", facts.Tracks) : "no tracks yet";
        var playlists = facts.Playlists.Count > 0 ? string.Join(", ", facts.Playlists) : "HLS not packaged";
        var publisher = facts.Publisher is null ? "" : $"; published by {facts.Publisher}";
        var path = facts.Path.Count > 1 ? $"; by way of {string.Join(" > ", facts.Path)}" : "";
        var finding = FormattableString.Invariant(
            $"{who} has it for {facts.Age.TotalSeconds:0.#} s: {tracks}; timeline {facts.Timeline}, era {facts.Era}, entry {facts.Entry}; {playlists}{publisher}{path}");
        if (!facts.IsLive)
            return DoctorCheck.Warn(name, $"{finding}; the publisher has gone and may come back", "see why he went: his encoder's log, and that node's");
        return facts.Silence > MaxSilence
            ? DoctorCheck.Warn(name, FormattableString.Invariant($"{finding}; nothing has come for {facts.Silence.TotalSeconds:0.#} s"), "check the encoder, and the links to it")
            : DoctorCheck.Ok(name, finding);
    }
}
