using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl.Probes;

/// <summary>Other forms of the same playlist. They are asked for between two equal full ones, so that nothing moved in between.</summary>
internal static class DeltaProbes
{
    private const int Tries = 4;

    public static async Task DeltaAsync(ProbeContext context)
    {
        foreach (var value in new[] { "YES", "v2" })
            await BetweenAsync(context, ProbeKind.Delta, $"_HLS_skip={value}");
        if (context.CanBlock)
            await BetweenAsync(context, ProbeKind.Delta, $"_HLS_msn={context.Newest.LastMsn}&_HLS_skip=YES");
    }

    public static Task LegacyAsync(ProbeContext context) => BetweenAsync(context, ProbeKind.Legacy, "_HLS_legacy=YES");

    private static async Task BetweenAsync(ProbeContext context, ProbeKind kind, string directives)
    {
        for (var i = 0; i < Tries; i++)
        {
            var before = ProbeContext.Parse(await context.SendAsync(new Ask(context.Playlist)));
            var exchange = await context.SendAsync(directives);
            var after = ProbeContext.Parse(await context.SendAsync(new Ask(context.Playlist)));
            if (before is null || after is null || (before.Text != after.Text && i + 1 < Tries))
                continue;
            var same = before.Text == after.Text;
            context.Add(new(kind, exchange) { Known = before, Base = before, Full = same ? after : null, Answer = ProbeContext.Parse(exchange) });
            return;
        }
    }
}
