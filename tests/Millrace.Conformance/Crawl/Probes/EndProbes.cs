using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl.Probes;

/// <summary>A playlist with EXT-X-ENDLIST answers at once whatever the directives say (RFC 8216bis §6.2.5).</summary>
internal static class EndProbes
{
    public static async Task EndedAsync(ProbeContext context)
    {
        var msn = context.Newest.OpenMsn;
        foreach (var directives in new[] { $"_HLS_msn={msn}", $"_HLS_msn={msn}&_HLS_part=0", $"_HLS_msn={msn + 100}", "_HLS_skip=YES" })
            await context.AskAsync(ProbeKind.Ended, directives);
    }
}
