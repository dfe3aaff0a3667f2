using Millrace.Conformance.Playlists;
using Millrace.Conformance.Record;

namespace Millrace.Conformance.Crawl;

/// <summary>
/// Asks again for what has left a playlist, half way and just before the end of the time it must stay (RFC 8216bis §6.2.2): segments
/// for their duration plus the longest playlist they were in, parts for three target durations.
/// </summary>
internal sealed class Retention(Uri rendition, Transport transport, Recorder recorder)
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(1);

    private readonly Dictionary<long, double> _longest = [];

    /// <summary>Compares two successive versions. What it starts ends with <paramref name="stop"/> and records by itself.</summary>
    public void Take(MediaPlaylist? before, MediaPlaylist now, CancellationToken stop)
    {
        foreach (var segment in now.Segments)
            _longest[segment.Msn] = Math.Max(now.Duration, _longest.GetValueOrDefault(segment.Msn));
        if (before is null)
            return;
        foreach (var segment in before.Segments.Where(segment => segment.Msn < now.MediaSequence && !segment.Gap))
        {
            _longest.Remove(segment.Msn, out var longest);
            _ = ProbeAsync(ProbeKind.RemovedSegment, "segment", segment.Uri!, segment.Range, segment.Duration + longest, stop);
        }

        var kept = now.Parts.Select(part => (part.Uri, part.Range)).ToHashSet();
        foreach (var part in before.Parts.Where(part => !part.Gap && !kept.Contains((part.Uri, part.Range))))
            _ = ProbeAsync(ProbeKind.DroppedPart, "part", part.Uri, part.Range, 3.0 * now.TargetDuration, stop);
    }

    private async Task ProbeAsync(ProbeKind kind, string subject, Uri uri, ByteRange? range, double mustStay, CancellationToken stop)
    {
        var gone = transport.Now;
        var whole = TimeSpan.FromSeconds(mustStay);
        try
        {
            foreach (var due in new[] { whole / 2, whole - Margin })
            {
                var wait = gone + due - transport.Now;
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, transport.Time, stop);
                var exchange = await transport.SendAsync(new(uri) { Header = range is { } r ? ("Range", r.Header) : null }, stop);
                recorder.Add(new(kind, exchange with { Body = default })
                {
                    Rendition = rendition,
                    Subject = subject,
                    Gone = exchange.Sent - gone,
                    MustStay = whole,
                });
            }
        }
        catch (OperationCanceledException)
        {
            // The crawl is over; what was due later is not judged.
        }
    }
}
