using Millrace.Conformance.Crawl.Probes;
using Millrace.Conformance.Playlists;

namespace Millrace.Conformance.Crawl;

/// <summary>Takes turns: each group of probes on each rendition, with a pause between, until the crawl is stopped.</summary>
internal sealed class Prober(Uri multivariant, Follower[] followers, Transport transport, Recorder recorder, CrawlerOptions options)
{
    private static readonly Func<ProbeContext, Task>[] Groups =
    [
        DirectiveProbes.RefusedAsync, DirectiveProbes.TooFarAsync, DirectiveProbes.PastAsync, DirectiveProbes.OrderAsync,
        DeltaProbes.DeltaAsync, DeltaProbes.LegacyAsync, HttpProbes.PlainAsync, HttpProbes.GzipAsync, HttpProbes.HeadAsync,
        HttpProbes.ConditionalAsync, HttpProbes.RangeAsync, NameProbes.UnknownAsync, HttpProbes.ProtocolAsync,
    ];

    /// <summary>Groups that are held for the time of a segment: they run beside the others, one at a time for each rendition.</summary>
    private static readonly Func<ProbeContext, Task>[] Slow = [DirectiveProbes.MsnAloneAsync, DirectiveProbes.NearEnoughAsync];

    public async Task RunAsync(CancellationToken stop)
    {
        var slow = followers.Select(follower => SlowAsync(follower, stop)).ToArray();
        var ended = new HashSet<Follower>();
        while (true)
        {
            foreach (var group in Groups)
            {
                foreach (var follower in followers)
                    await TurnAsync(group, follower, ended, stop);
            }

            if (slow.FirstOrDefault(task => task.IsFaulted) is { } fault)
                await fault;
        }
    }

    private async Task TurnAsync(Func<ProbeContext, Task> group, Follower follower, HashSet<Follower> ended, CancellationToken stop)
    {
        await Task.Delay(options.ProbePause / followers.Length, options.Time, stop);
        if (Context(follower, stop) is not { } context)
            return;
        if (!context.Newest.Ended)
            await group(context);
        else if (ended.Add(follower))
            await EndProbes.EndedAsync(context);
    }

    private async Task SlowAsync(Follower follower, CancellationToken stop)
    {
        for (var turn = 0; ; turn++)
        {
            await Task.Delay(options.ProbePause * 2, options.Time, stop);
            if (Context(follower, stop) is { Newest.Ended: false } context)
                await Slow[turn % Slow.Length](context);
        }
    }

    private ProbeContext? Context(Follower follower, CancellationToken stop) =>
        follower.Newest is { Segments.Count: > 0 } ? new(multivariant, follower, transport, recorder, stop) : null;
}
