using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl.Probes;

/// <summary>Blocking requests that a player would not make (RFC 8216bis §6.2.5.2).</summary>
internal static class DirectiveProbes
{
    public static async Task RefusedAsync(ProbeContext context)
    {
        var msn = context.Newest.LastMsn;
        string[] bad =
        [
            "_HLS_part=0", "_HLS_msn=abc", "_HLS_msn=", "_HLS_msn=-1", $"_HLS_msn={msn}.5", "_HLS_msn=99999999999999999999999",
            $"_HLS_msn={msn}&_HLS_msn={msn}", $"_HLS_msn={msn}&_HLS_part=x", $"_HLS_msn={msn}&_HLS_part=-1",
            $"_HLS_msn={msn}&_HLS_part=0&_HLS_part=0", $"_HLS_msn={msn}&_HLS_part=99999999999999999999999",
        ];
        if (context.CanBlock)
        {
            foreach (var directives in bad)
                await context.AskAsync(ProbeKind.BadDirective, directives);
        }

        await context.AskAsync(ProbeKind.UnknownDirective, "_HLS_x=1");
        await context.AskAsync(ProbeKind.UnknownDirective, $"_HLS_x=1&_HLS_msn={msn}&_HLS_part=0");
    }

    public static async Task TooFarAsync(ProbeContext context)
    {
        if (!context.CanBlock)
            return;
        // One more than the limit allows, and one for a segment that may end while the request is on its way.
        var msn = context.Newest.LastMsn + 4;
        await context.AskAsync(ProbeKind.TooFar, $"_HLS_msn={msn}", new(msn, -1));
        await context.AskAsync(ProbeKind.TooFar, $"_HLS_msn={msn + 1000000}&_HLS_part=0", new(msn + 1000000, 0));
        if (context.Newest is { PartTarget: { } target, Open.Parts.Count: > 0 } newest)
        {
            var part = newest.Next.Part + AdvancePartLimit(target) + 2;
            await context.AskAsync(ProbeKind.TooFar, $"_HLS_msn={newest.OpenMsn}&_HLS_part={part}", new(newest.OpenMsn, part));
        }
    }

    public static async Task PastAsync(ProbeContext context)
    {
        if (!context.CanBlock)
            return;
        var newest = context.Newest;
        foreach (var msn in new[] { 0L, newest.MediaSequence, newest.LastMsn }.Distinct())
        {
            await context.AskAsync(ProbeKind.Past, $"_HLS_msn={msn}", new(msn, -1));
            if (newest.PartTarget is not null)
                await context.AskAsync(ProbeKind.Past, $"_HLS_msn={msn}&_HLS_part=0", new(msn, 0));
        }
    }

    /// <summary>Held until the segment in progress is complete.</summary>
    public static async Task MsnAloneAsync(ProbeContext context)
    {
        if (context.CanBlock)
            await context.AskAsync(ProbeKind.MsnAlone, $"_HLS_msn={context.Newest.OpenMsn}", new(context.Newest.OpenMsn, -1));
    }

    /// <summary>The furthest places that must not be refused.</summary>
    public static async Task NearEnoughAsync(ProbeContext context)
    {
        if (!context.CanBlock)
            return;
        var newest = context.Newest;
        if (newest is { PartTarget: { } target, Open.Parts.Count: > 0 })
        {
            // One less than the limit: whether the limit itself exceeds it is a matter of reading.
            var part = newest.Open.Parts.Count - 2 + (long)Math.Floor(target < 1 ? 3 / target : 3);
            await context.AskAsync(ProbeKind.NearEnough, $"_HLS_msn={newest.OpenMsn}&_HLS_part={part}", new(newest.OpenMsn, part));
        }

        var msn = context.Newest.LastMsn + 2;
        await context.AskAsync(ProbeKind.NearEnough, $"_HLS_msn={msn}&_HLS_part=0", new(msn, 0));
    }

    /// <summary>The same question in both orders at the same time: once for what is there and once for the next part.</summary>
    public static async Task OrderAsync(ProbeContext context)
    {
        if (!context.CanBlock || context.Newest.PartTarget is null)
            return;
        var newest = context.Newest;
        foreach (var asked in new[] { new Position(newest.LastMsn, 0), newest.Next })
        {
            var usual = context.SendAsync($"_HLS_msn={asked.Msn}&_HLS_part={asked.Part}");
            var other = context.SendAsync($"_HLS_part={asked.Part}&_HLS_msn={asked.Msn}");
            await Task.WhenAll(usual, other);
            context.Add(new(ProbeKind.Order, await other)
            {
                Known = newest,
                Asked = asked,
                Answer = ProbeContext.Parse(await other),
                Full = ProbeContext.Parse(await usual),
                Reference = await usual,
            });
        }
    }

    /// <summary>§6.2.5.2: three divided by the part target when that is below a second, otherwise three; rounded up.</summary>
    private static long AdvancePartLimit(double partTarget) => (long)Math.Ceiling(partTarget < 1 ? 3 / partTarget : 3);
}
