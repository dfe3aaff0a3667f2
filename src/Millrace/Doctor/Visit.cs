using Millrace.Configuration;
using Millrace.Node.Cluster;
using Millrace.Node.Settings;

namespace Millrace.Doctor;

/// <summary>Looks at everything that a node needs, changes nothing, and says what it found.</summary>
internal static class Visit
{
    /// <summary>Without valid settings there is nothing else to look at.</summary>
    /// <param name="loaded">The settings.</param>
    /// <param name="stream">A stream to be asked for, <c>vhost/app/name</c>; null: none.</param>
    /// <param name="cancellationToken">Ends the visit.</param>
    public static async Task<DoctorReport> RunAsync(LoadedSettings loaded, string? stream, CancellationToken cancellationToken)
    {
        if (loaded.Errors.Count > 0)
            return DoctorReport.Of([.. loaded.Errors.Select(static error => DoctorCheck.Fail("configuration", error.ToString(), "correct it; millrace.example.yml has every setting"))]);

        var settings = loaded.Settings;
        var running = await RunningNode.FindAsync(settings, TimeProvider.System, cancellationToken);
        var origins = OriginChecks.RunAsync(settings, cancellationToken);
        var streams = stream is null ? null : StreamChecks.RunAsync(settings, stream, running is { Id: not null }, cancellationToken);
        var redis = settings.Cluster.Map == OriginMapKind.Redis ? RedisAsync(settings.Cluster) : null;
        return DoctorReport.Of(
        [
            DoctorCheck.Ok("configuration", "it is valid"),
            .. ListenerChecks.Run(settings, running),
            .. CertificateChecks.Run(settings),
            .. AccessChecks.Run(settings),
            .. await origins,
            .. streams is null ? [] : await streams,
            .. redis is null ? Array.Empty<DoctorCheck>() : [await redis],
            .. new MachineChecks(settings, process: running?.Owner?.Process).Run(),
        ]);
    }

    private static async Task<DoctorCheck> RedisAsync(ClusterSettings cluster)
    {
        const string Name = "cluster.redis";
        var (error, answer) = await RedisProbe.RunAsync(cluster, TimeProvider.System);
        return error is null
            ? DoctorCheck.Ok(Name, FormattableString.Invariant($"{cluster.Redis.Endpoint} answers in {answer.TotalMilliseconds:0.##} ms"))
            : DoctorCheck.Fail(Name, $"{cluster.Redis.Endpoint}: {error}", "check that Redis runs, cluster.redis.endpoint, password and tls, and firewalls");
    }
}
