using Millrace.Media.Tests.Mp4;
using Millrace.Streams.Hls;

namespace Millrace.Streams.Tests.Hls;

/// <summary>
/// Reads every snapshot that a packager publishes as a player would, and holds it against what must be true of each
/// playlist (L1 to L32 as far as they concern one) and of each playlist after the one before.
/// </summary>
internal sealed class PlaylistChecker : IHlsListener
{
    /// <summary>Where sound begins again behind a hole, a part may be stated shorter by less than a frame, microseconds.</summary>
    private const long SoundFrame = 25_000;

    private readonly Func<long> _now;
    private readonly Dictionary<RenditionId, RenditionHistory> _histories = [];
    private long _target;

    public PlaylistChecker(HlsPackager packager, Func<long> now)
    {
        Packager = packager;
        _now = now;
        packager.Listener = this;
        OnPublished();
    }

    public HlsPackager Packager { get; }

    public int Snapshots { get; private set; }

    /// <summary>False where time breaks inside segments: dates and decode times are not compared.</summary>
    public bool IsTimeSteady { get; init; } = true;

    public RenditionHistory Of(RenditionId id) => _histories[id];

    public ReadPlaylist Read(RenditionId id, PlaylistForm form = PlaylistForm.Full) => new(Text(id, form));

    public string Text(RenditionId id, PlaylistForm form = PlaylistForm.Full) =>
        Packager.Snapshot.Playlist(Packager.Snapshot.Find(id)!, form).Bytes is var bytes ? System.Text.Encoding.UTF8.GetString(bytes) : "";

    public void OnPublished()
    {
        var snapshot = Packager.Snapshot;
        Snapshots++;
        if (!snapshot.IsPlayable)
            return;
        if (_target > 0)
            snapshot.TargetSeconds.ShouldBe(_target, "L6: TARGETDURATION changed");
        _target = snapshot.TargetSeconds;
        var read = new List<(RenditionView View, ReadPlaylist Playlist)>();
        foreach (var view in snapshot.Renditions)
        {
            if (view.IsEmpty)
                continue;
            var playlist = new ReadPlaylist(Text(view.Id));
            CheckAlone(snapshot, view, playlist);
            if (!_histories.TryGetValue(view.Id, out var history))
                _histories[view.Id] = history = new RenditionHistory(Packager, view.Id, _now);
            history.Take(playlist);
            read.Add((view, playlist));
        }

        if (Packager.Format == HlsFormat.LowLatency)
            read.ForEach(one => CheckTogether(snapshot, one.View, one.Playlist, read));
    }

    /// <summary>What has to hold in each playlist.</summary>
    private void CheckAlone(HlsSnapshot snapshot, RenditionView view, ReadPlaylist playlist)
    {
        var isLowLatency = Packager.Format == HlsFormat.LowLatency;
        var hasGap = playlist.Segments.Exists(segment => segment.IsGap);
        playlist.Version.ShouldBe(hasGap ? 8 : isLowLatency ? 6 : 3, "L30");
        playlist.Target.ShouldBe(_target);
        playlist.IsEnded.ShouldBe(snapshot.IsEnded);
        foreach (var segment in playlist.Segments)
        {
            if ((segment.Micros + 500_000) / 1_000_000 > playlist.Target)
                throw new InvalidOperationException($"L7: EXTINF {segment.Micros} of {segment.Uri}");
            segment.IsGap.ShouldBe(FindSegment(view.Id, segment.Uri) is { IsGap: true }, segment.Uri);
        }

        foreach (var segment in playlist.All)
        {
            segment.Date.ShouldNotBeNull("L14");
            if (isLowLatency && (segment.Uri.Length > 0 ? !segment.IsGap : segment.Parts.Exists(static part => !part.IsGap)))
                segment.Map.ShouldNotBeEmpty("L13");
        }

        if (isLowLatency)
            CheckParts(playlist);
    }

    private void CheckParts(ReadPlaylist playlist)
    {
        var hasParts = playlist.All.Any(segment => segment.Parts.Count > 0);
        if (hasParts)
            playlist.PartTarget.ShouldBeGreaterThan(0, "L1");
        ReadPlaylist.Attributes(playlist.Control)["CAN-BLOCK-RELOAD"].ShouldBe("YES", "L3");
        playlist.ControlMicros("PART-HOLD-BACK").ShouldBeGreaterThanOrEqualTo(3 * playlist.PartTarget, "L3");
        playlist.ControlMicros("CAN-SKIP-UNTIL").ShouldBeGreaterThanOrEqualTo(6_000_000 * playlist.Target, "L5");
        var fromEnd = playlist.Duration + (playlist.Open?.Parts.Sum(part => part.Micros) ?? 0);
        foreach (var segment in playlist.All)
        {
            if (fromEnd > 3_000_000 * playlist.Target)
                segment.Parts.ShouldBeEmpty("L12");
            fromEnd -= segment.Micros;
            if (segment.Parts.Exists(part => part.Micros > playlist.PartTarget))
                throw new InvalidOperationException($"L2: {string.Join(' ', segment.Parts)}, PART-TARGET {playlist.PartTarget}");
            var difference = segment.Uri.Length > 0 && segment.Parts.Count > 0 ? Math.Abs(segment.Parts.Sum(part => part.Micros) - segment.Micros) : 0;
            if (difference >= (IsTimeSteady ? SoundFrame : long.MaxValue))
                throw new InvalidOperationException($"parts of {segment.Uri}: {string.Join(' ', segment.Parts.Select(part => part.Micros))} of {segment.Micros}");
        }

        (playlist.Hint.Length > 0).ShouldBe(!playlist.IsEnded, "L24");
    }

    /// <summary>What the playlists of one snapshot say of each other.</summary>
    private void CheckTogether(HlsSnapshot snapshot, RenditionView view, ReadPlaylist playlist, List<(RenditionView View, ReadPlaylist Playlist)> all)
    {
        foreach (var (other, otherPlaylist) in all)
        {
            if (other == view)
                continue;
            (otherPlaylist.Target, otherPlaylist.Control, otherPlaylist.PartTarget).ShouldBe((playlist.Target, playlist.Control, playlist.PartTarget), "L6");
            if (!snapshot.IsEnded)
                playlist.Reports[HlsNames.MediaPlaylist(other.Id, Packager.Key)].ShouldBe(LastOf(otherPlaylist), "L26");
            foreach (var segment in playlist.All)
            {
                if (otherPlaylist.All.FirstOrDefault(one => one.Number == segment.Number) is not { } same)
                    continue;
                if (same.Discontinuity != segment.Discontinuity)
                    throw new InvalidOperationException($"L13: segment {segment.Number} of {view.Id} and {other.Id}");
                if (IsTimeSteady && Math.Abs((same.Date!.Value - segment.Date!.Value).TotalMilliseconds) > 200)
                    throw new InvalidOperationException($"L14: segment {segment.Number} of {view.Id} and {other.Id}");
            }
        }

        playlist.Reports.Count.ShouldBe(snapshot.IsEnded ? 0 : all.Count - 1, "L26");
    }

    private static (long Segment, long Part) LastOf(ReadPlaylist playlist)
    {
        var last = playlist.All.Last();
        return (last.Number, last.Parts.Count - 1);
    }

    private HlsSegment? FindSegment(RenditionId id, string uri)
    {
        var name = Packager.Format == HlsFormat.TransportStream ? uri[(uri.LastIndexOfAny(['-', '/']) + 1)..^3] : uri.Split('_')[2];
        return Packager.FindSegment(id, long.Parse(name, System.Globalization.CultureInfo.InvariantCulture));
    }
}

/// <summary>What one rendition has said so far.</summary>
internal sealed class RenditionHistory(HlsPackager packager, RenditionId id, Func<long> now)
{
    private readonly Dictionary<long, string> _facts = [];
    private readonly Dictionary<(long Segment, int Part), ReadPart> _parts = [];
    private readonly List<(HlsSegment Segment, long Until)> _removed = [];
    private ReadPlaylist? _previous;
    private long _longest;
    private (long Segment, int Part) _lastPart = (-1, -1);

    /// <summary>Every segment that was ever listed, in order.</summary>
    public List<ReadSegment> Segments { get; } = [];

    /// <summary>Every part, in the order in which they came, with the PART-TARGET of that moment.</summary>
    public List<(ReadPart Part, long Target, bool IsLast)> Parts { get; } = [];

    /// <summary>Hints that came true.</summary>
    public int Hints { get; private set; }

    public void Take(ReadPlaylist playlist)
    {
        if (_previous is { } previous)
            CheckSequence(previous, playlist);
        foreach (var segment in playlist.All)
            Note(segment, playlist);
        _longest = Math.Max(_longest, playlist.Duration);
        foreach (var (segment, until) in _removed)
        {
            if (now() < until && packager.FindSegment(id, segment.Name) != segment)
                throw new InvalidOperationException($"L11: segment {segment.Number} was dropped too soon");
        }

        _removed.RemoveAll(one => now() >= one.Until);
        _previous = playlist;
    }

    private void CheckSequence(ReadPlaylist previous, ReadPlaylist playlist)
    {
        var removed = playlist.Sequence - previous.Sequence;
        removed.ShouldBeGreaterThanOrEqualTo(0, "L9");
        removed.ShouldBeLessThanOrEqualTo(previous.Segments.Count, "L9");
        playlist.DiscontinuitySequence.ShouldBeGreaterThanOrEqualTo(previous.DiscontinuitySequence, "L9");
        // Its own tag goes with the segment, so the first one listed may still have it.
        if (playlist.Segments.Count > 0)
            (playlist.Segments[0].Discontinuity - playlist.DiscontinuitySequence).ShouldBeInRange(0, 1, "L9");
        for (var i = 0; i < removed; i++)
        {
            var segment = Find(previous.Segments[i].Number);
            if (segment is not null)
                _removed.Add((segment, now() + previous.Segments[i].Micros + _longest));
        }

        if (removed > 0)
            playlist.Duration.ShouldBeGreaterThanOrEqualTo(3_000_000 * playlist.Target, "L10");
        (playlist.Sequence + playlist.Segments.Count).ShouldBeGreaterThanOrEqualTo(previous.Sequence + previous.Segments.Count, "L9");
    }

    private void Note(ReadSegment segment, ReadPlaylist playlist)
    {
        for (var i = 0; i < segment.Parts.Count; i++)
        {
            if (!_parts.TryGetValue((segment.Number, i), out var known))
                NotePart(segment, i, playlist);
            else if (segment.Parts[i] != known)
                throw new InvalidOperationException($"a part changed: {known} became {segment.Parts[i]}");
        }

        if (segment.Uri.Length == 0)
            return;
        if (_facts.TryAdd(segment.Number, segment.Facts))
        {
            if (Segments.Count > 0)
                segment.Number.ShouldBe(Segments[^1].Number + 1, "numbering has a hole");
            Segments.Add(segment);
            CheckBytes(segment);
        }

        if (_facts[segment.Number] != segment.Facts)
            throw new InvalidOperationException($"L9: {_facts[segment.Number]} became {segment.Facts}");
    }

    private void NotePart(ReadSegment segment, int number, ReadPlaylist playlist)
    {
        var part = segment.Parts[number];
        _parts.Add((segment.Number, number), part);
        if (number > 0 || _lastPart.Segment < 0)
            number.ShouldBe(_lastPart.Segment == segment.Number ? _lastPart.Part + 1 : 0);
        else
            Parts[^1] = Parts[^1] with { IsLast = true };
        _lastPart = (segment.Number, number);
        // A jump to the next segment withdraws the hint of another part of the one before.
        if (_previous is { Hint.Length: > 0 } previous && (number > 0 || previous.Hint.Contains($"_{segment.Number}_{number}_", StringComparison.Ordinal)))
        {
            if (previous.All.LastOrDefault() is { } last && (last.Number, last.Parts.Count) == (segment.Number, number))
            {
                // Where another node goes on its first part is not the one that was promised.
                var isForked = Find(segment.Number)!.NameKeyOf(number) is var key && !previous.Hint.Contains(key, StringComparison.Ordinal) && packager.IsNamed(key);
                if (!isForked)
                    previous.Hint.ShouldBe(part.Uri, "L24");
                Hints++;
            }
        }

        Parts.Add((part, playlist.PartTarget, false));
        var found = Find(segment.Number)!;
        packager.Snapshot.TryFindPart(found, id, number, out var bytes).ShouldBeTrue();
        (bytes.IsGap, bytes.DurationMicros).ShouldBe((part.IsGap, part.Micros));
        if (!part.IsGap && !found.IsAway)
            CheckFragment(Slice(found, bytes.Position, bytes.Length), part);
    }

    private void CheckFragment(byte[] fragment, ReadPart part)
    {
        var samples = FragmentReader.Read(fragment);
        if (id.Kind == Media.TrackKind.Video)
            part.IsIndependent.ShouldBe(samples.Exists(static sample => (sample.Flags & 0x10000) == 0), "L32");
        else
            part.IsIndependent.ShouldBeTrue("L32");
    }

    private void CheckBytes(ReadSegment segment)
    {
        if (segment.IsGap || Find(segment.Number) is not { IsAway: false } found)
            return;
        found.Bytes.Head.ShouldBeGreaterThan(0);
        if (packager.Format == HlsFormat.LowLatency)
            found.Parts.Take(found.PartCount).Sum(part => (long)part.Length).ShouldBe(found.Bytes.Head, "a segment is the sum of its parts");
    }

    private HlsSegment? Find(long number) => packager.Snapshot.Find(id)!.Segments.Append(packager.Snapshot.Find(id)!.Open).FirstOrDefault(segment => segment?.Number == number)
        ?? packager.FindSegment(id, number);

    /// <summary>
    /// L2: at least 85 % of PART-TARGET, but for parts with a key frame, GAP parts and those before one, and the last of a
    /// segment. Sound is held to it but for a frame, though each of its parts is independent.
    /// </summary>
    public void ShouldHaveFullParts(long frame = 0)
    {
        Parts.Count.ShouldBeGreaterThan(5);
        for (var i = 0; i + 1 < Parts.Count; i++)
        {
            var (part, target, isLast) = Parts[i];
            var isExempt = isLast || part.IsGap || Parts[i + 1].Part.IsGap || (part.IsIndependent && id.Kind == Media.TrackKind.Video);
            if (!isExempt)
                ((part.Micros + frame) * 100).ShouldBeGreaterThanOrEqualTo(target * 85, $"L2: {part}, PART-TARGET {target}");
        }
    }

    /// <summary>The samples of a segment, part by part.</summary>
    public List<ReadSample> Samples(long number) => Samples(packager.FindSegment(id, number)!);

    public static List<ReadSample> Samples(HlsSegment segment) =>
        [.. segment.Parts.Take(segment.PartCount).Where(part => !part.IsGap).SelectMany(part => FragmentReader.Read(Slice(segment, part.Position, part.Length)))];

    public static byte[] Slice(HlsSegment segment, long position, long length)
    {
        var bytes = new byte[length];
        segment.Bytes.CopyTo(position, bytes);
        return bytes;
    }
}
