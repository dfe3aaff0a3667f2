using Millrace.Media;
using Millrace.Node.Http;
using Millrace.Node.Relay;
using Millrace.Node.Sessions;
using Millrace.Streams;
using Millrace.Streams.Cuts;
using Millrace.Streams.Hls;

namespace Millrace.Node.Hls;

/// <summary>Turns an HLS request into what it comes to at this moment: an answer, or what it has to wait for.</summary>
internal sealed class HlsResolver(NodeContext node)
{
    public const string PlaylistType = "application/vnd.apple.mpegurl";

    /// <summary>A playlist that is not asked for with directives, seconds: at most half a target duration.</summary>
    private const string BriefCache = "public, max-age=1";

    private const string NoCache = "no-cache";

    /// <summary>Blocking replies, in target durations.</summary>
    private const int LongCacheTargets = 6;

    /// <summary>Media whose name is only ever its own: longer than most playlists list it, so that a cache need not ask again while somebody plays it.</summary>
    private const string ObjectCache = "public, max-age=3600";

    private const int HoldTargets = 3;

    /// <summary>What another node has published is here within this, microseconds, or the link has a problem.</summary>
    private const long LogMicros = 1_000_000;

    private const int PartsOnTheirWay = 3;

    /// <summary>RFC 8216bis 6.2.5.2: how far ahead of the playlist's end a part may be asked for, seconds.</summary>
    private const int AdvanceLimitSeconds = 3;

    /// <summary>The only rendition of MPEG-TS.</summary>
    private static readonly RenditionId TransportStream = new(TrackKind.Video, 0);

    /// <summary>Kept briefly: of all who wait behind a cache one is to ask again, not each after the other.</summary>
    private static readonly MediaResource NothingNew = Refuse(503, "nothing new has come in time");

    public static readonly MediaResource Gone = NotFound("the stream is not live, or the file has gone");

    /// <summary>Whoever asks too early must not leave a 404 in a cache for those who ask in time.</summary>
    private static readonly MediaResource NotYet = Gone with { CachePolicy = MediaResource.NoStore };

    /// <param name="request">The request; again, when what its answer had to wait for has happened.</param>
    /// <param name="access">What the viewer shows; null where everybody may play everything.</param>
    /// <param name="now">Monotonic time, microseconds.</param>
    public MediaResource Resolve(HlsRequest request, HlsAccess? access, long now)
    {
        if (request.Refusal is { } refusal)
            return refusal;
        StreamName? asked = null;
        MediaResource? missing = null;
        foreach (var named in request.Streams)
        {
            // What carries the name's key is judged, not a namesake of it in the vhost that the host selects.
            var name = Find(named, request.Target)?.Name ?? named;
            if (access?.Judge(node, name, now) is { } unfit)
            {
                if (unfit.Wait is not null)
                    return unfit;
                missing = unfit;
                continue;
            }

            node.Upstreams.Touch(name);
            if (Find(name, request.Target) is not { State: not StreamState.Idle } && Fetch(name, request) is { } fetching)
            {
                if (fetching.Wait is not null || fetching.Location.Length > 0)
                    return fetching;
                missing = fetching;
            }

            // Of a stream that has ended there are objects left.
            if (Find(name, request.Target) is not { } stream)
                continue;
            asked = stream.Name;
            // What has come meanwhile can carry the key.
            if (asked != name && access?.Judge(node, asked, now) is { } unfitAfterAll)
                return unfitAfterAll;
            if (ResolveIn(stream, request, access, now) is { } resource)
                return Mark(resource.Asked is null ? resource with { Asked = asked } : resource, request, access, asked);
        }

        return missing ?? (asked is null ? Gone : Gone with { Asked = asked });
    }

    /// <summary>Names in playlists carry no query, so a stream that <c>?vhost=</c> selected is known by its key from then on.</summary>
    private LiveStream? Find(StreamName name, HlsTarget target)
    {
        var stream = node.Registry.Find(name);
        if (target.Key.Length == 0 || HasKey(stream, target))
            return stream;
        foreach (var vhost in node.Settings.Vhosts)
        {
            if (node.Registry.Find(name with { Vhost = vhost.Name }) is { } other && HasKey(other, target))
                return other;
        }

        return stream;
    }

    /// <summary>What another node holds is fetched, or asked for there; null where the stream is this node's own, or has come.</summary>
    private MediaResource? Fetch(StreamName name, HlsRequest request)
    {
        if (MediaResource.Elsewhere(node, node.Redirects.ForViewer(name, request.Query, request.Protocol), request.Protocol, request.Path, request.Query) is { } elsewhere)
            return elsewhere;
        // What a token admits to is shown once: later requests have a cookie, and a query that says something else.
        var arguments = request.Query.Contains("_HLS_", StringComparison.Ordinal) ? "" : request.Query;
        var state = node.Upstreams.Want(name, arguments, [], out var refusal);
        if (state == UpstreamState.Missing)
            return Refuse(RelayStatus.Of(refusal!), refusal!.Reason) with { Asked = name };
        return state == UpstreamState.Pending && node.Upstreams.WaitersOf(name) is { } waiters
            ? NothingNew with { Asked = name, Wait = new HlsWait(waiters, HlsCondition.Started, node.Settings.Edge.StartTimeout.ToMicros()) }
            : null;
    }

    private static bool HasKey(LiveStream? stream, HlsTarget target) => stream?.FindHls(FormatOf(target), target.Key) is not null;

    private static HlsFormat FormatOf(HlsTarget target) =>
        target.File is HlsFile.TsPlaylist or HlsFile.TsSegment or HlsFile.ContentKey ? HlsFormat.TransportStream : HlsFormat.LowLatency;

    private MediaResource Mark(MediaResource resource, HlsRequest request, HlsAccess? access, StreamName stream) =>
        resource.IsPrivate || access is null ? resource : access.Mark(node, resource, request, stream);

    private MediaResource? ResolveIn(LiveStream stream, HlsRequest request, HlsAccess? access, long now)
    {
        var target = request.Target;
        var options = stream.Hls;
        var format = FormatOf(target);
        if (!options.IsEnabled || (format == HlsFormat.TransportStream && options.Ts is null))
            return null;
        // Without its key a name means another segment tomorrow.
        if (target is { File: HlsFile.TsSegment or HlsFile.ContentKey, Key.Length: 0 } && !options.Ts!.HasPlainNames)
            return null;
        if (target.File == HlsFile.TsPlaylist && NestedAnswer(stream, request, options.Ts!) is { } nested)
            return nested;
        if (target.File is HlsFile.TsSegment or HlsFile.ContentKey && !target.IsNameIn(stream.Name.Name, options.Ts!))
            return null;
        var packager = target.Key.Length > 0 ? stream.FindHls(format, target.Key) : stream.FindHls(format);
        string? unsupported = null;
        if (packager is null or { IsAsked: false, IsRetired: false })
        {
            packager = stream.FindHls(format);
            if (packager is null && stream.CanStartHls(format, out unsupported))
                return WaitFor(node.HlsStarts.Begin(stream, format), (format == HlsFormat.TransportStream ? options.Ts!.Cuts : null) ?? options.Cuts);
        }

        if (unsupported is not null)
            return MediaResource.Unsupported(stream.Name, unsupported);
        // Its URL has no key: players that were there before the end have to be told of it by the same one.
        if (packager is null && format == HlsFormat.TransportStream && target.Key.Length == 0)
            packager = stream.FindEndedHls(format) is { Snapshot.IsPlayable: true } ended ? ended : null;
        // One that was started just now may belong to another Timeline than the name says.
        if (packager is null || (target.Key.Length > 0 && !packager.IsNamed(target.Key)))
            return null;
        packager.LastUsed = now;
        var snapshot = packager.Snapshot;
        var isPersonal = access is { IsPersonal: true };
        if (!isPersonal && request.Latest is { Resource: { } latest } && request.Latest.Snapshot == snapshot.Serial)
            return latest;
        if (ResolveAt(stream, snapshot, request) is not { } resource)
            return MayCome(snapshot, target) ? NotYet with { Asked = stream.Name } : null;
        // It comes without a new snapshot.
        if (resource.Wait is { Condition.Event: HlsEvent.Fetched })
            return resource;
        resource = Mark(resource with { Asked = stream.Name }, request, access, stream.Name);
        if (!isPersonal)
            request.Latest = (snapshot.Serial, resource);
        return resource;
    }

    private MediaResource? ResolveAt(LiveStream stream, HlsSnapshot snapshot, HlsRequest request)
    {
        var (packager, target, directives) = (snapshot.Packager, request.Target, request.Directives);
        return target.File switch
        {
            HlsFile.Multivariant when !snapshot.IsPlayable => snapshot.IsEnded ? null : Wait(snapshot, HlsCondition.Playable),
            HlsFile.Multivariant => Playlist(snapshot.Master(directives.Form), Brief(snapshot)),
            HlsFile.MediaPlaylist => snapshot.Find(target.Rendition) is { } view ? MediaPlaylist(snapshot, view, directives) : null,
            HlsFile.TsPlaylist when !snapshot.IsPlayable => snapshot.IsEnded ? null : Wait(snapshot, HlsCondition.Playable),
            HlsFile.TsPlaylist => Playlist(snapshot.Playlist(snapshot.Renditions[0], PlaylistForm.Legacy), packager.Ts!.HasPlainNames ? NoCache : Brief(snapshot)),
            HlsFile.Init => packager.FindInit(target.Rendition, (int)target.Number, target.Part, target.Key) is { } init ? Object(snapshot, init, target.Rendition) : null,
            HlsFile.Part => Part(stream, snapshot, target),
            HlsFile.ContentKey => packager.HasKey(target.Number, target.Key) ? Key(packager, target.Number) : null,
            _ => Segment(stream, snapshot, target),
        };
    }

    /// <summary>Whether the name may be that of an object within the time for which caches keep a 404.</summary>
    private static bool MayCome(HlsSnapshot snapshot, HlsTarget target)
    {
        if (snapshot.IsEnded || target.Key.Length == 0 || target.File is HlsFile.MediaPlaylist)
            return false;
        if (target.File is HlsFile.Init or HlsFile.ContentKey || !snapshot.Packager.IsNumbered)
            return true;
        var id = target.File == HlsFile.TsSegment ? TransportStream : target.Rendition;
        return snapshot.Find(id) is not { } view || (target.Number >= view.NextSegment && target.Number <= view.NextSegment + 1);
    }

    private static MediaResource? NestedAnswer(LiveStream stream, HlsRequest request, TsOptions ts)
    {
        if (!ts.IsNested)
            return request.Target.Name == HlsNames.Index ? NotFound("hls.ts.nested is off") : null;
        var isFlat = request.Target.Name is not (HlsNames.Index or HlsNames.Playlist);
        var query = request.Query.Length > 0 ? "?" + request.Query : "";
        return isFlat
            ? MediaResource.Refuse(302, "see the nested playlist") with { Location = $"{Uri.EscapeDataString(stream.Name.Name)}/{HlsNames.Index}{query}", CachePolicy = BriefCache }
            : null;
    }

    private static MediaResource MediaPlaylist(HlsSnapshot snapshot, RenditionView view, in HlsDirectives directives)
    {
        if (snapshot.IsEnded)
            return Playlist(snapshot.Playlist(view, directives.Form), Brief(snapshot));
        // Players that know no parts take a playlist without segments for a broken one.
        if (directives.Form == PlaylistForm.Legacy && view.Segments.Length == 0)
            return Wait(snapshot, new HlsCondition(HlsEvent.Listed, view.Id, view.NextSegment, Part: -1));
        if (directives.Segment < 0)
            return view.IsEmpty ? Wait(snapshot, new HlsCondition(HlsEvent.Listed, view.Id, view.NextSegment, Part: 0)) : Playlist(snapshot.Playlist(view, directives.Form), Brief(snapshot));
        if (IsTooFar(snapshot, view, directives))
            return Refuse(400, "the segment or part lies too far ahead");
        // A part behind the segment's last is the first of the next (6.2.5.2): one name for each thing that can be waited for.
        var isBehind = directives.Part >= 0 && directives.Segment == view.LastSegment && directives.Part >= view.Segments[^1].PartCount;
        var condition = isBehind
            ? new HlsCondition(HlsEvent.Listed, view.Id, directives.Segment + 1, Part: 0)
            : new HlsCondition(HlsEvent.Listed, view.Id, directives.Segment, directives.Part);
        return condition.IsMet(snapshot)
            ? Playlist(snapshot.Playlist(view, directives.Form), LongCache(snapshot))
            : Wait(snapshot, condition);
    }

    private static bool IsTooFar(HlsSnapshot snapshot, RenditionView view, in HlsDirectives directives)
    {
        // The last whole segment of the playlist; the one in the making is the next.
        var last = view.NextSegment - 1;
        if (directives.Segment > last + 2)
            return true;
        if (directives.Part < 0 || directives.Segment <= last)
            return false;
        var advance = snapshot.PartTargetMicros is > 0 and < 1_000_000 ? AdvanceLimitSeconds * 1_000_000 / snapshot.PartTargetMicros : AdvanceLimitSeconds;
        var lastPart = directives.Segment == view.NextSegment ? view.OpenParts - 1 : -1;
        return directives.Part > lastPart + advance;
    }

    private MediaResource? Part(LiveStream stream, HlsSnapshot snapshot, HlsTarget target)
    {
        if (snapshot.Packager.FindSegment(target.Rendition, target.Number) is { } segment && segment.NameKeyOf(target.Part) == target.Key
            && snapshot.TryFindPart(segment, target.Rendition, target.Part, out var part))
        {
            return part.IsGap ? null
                : segment.IsAway ? Bring(stream, snapshot, segment, target.Rendition)
                : Object(snapshot, MediaBody.Of(segment, part.Position, part.Length), part.ETag, target.Rendition);
        }

        if (snapshot.IsEnded || snapshot.Find(target.Rendition) is not { } view)
            return null;
        var isHinted = target.Number == view.NextSegment && target.Part == view.OpenParts && target.Key == view.HintKey;
        var condition = new HlsCondition(HlsEvent.Decided, target.Rendition, target.Number, target.Part);
        return isHinted ? Wait(snapshot, condition) : IsOnItsWay(stream, view, target) && target.Part <= view.OpenParts + PartsOnTheirWay ? WaitForLog(snapshot, condition) : null;
    }

    private MediaResource? Segment(LiveStream stream, HlsSnapshot snapshot, HlsTarget target)
    {
        var id = snapshot.Packager.Format == HlsFormat.TransportStream ? TransportStream : target.Rendition;
        if (snapshot.Packager.FindSegment(id, target.Number) is not { IsSealed: true, IsGap: false } segment || (target.Key.Length > 0 && segment.NameKey != target.Key))
        {
            return snapshot.Find(id) is { } view && snapshot.Packager.IsNumbered && IsOnItsWay(stream, view, target)
                ? WaitForLog(snapshot, new HlsCondition(HlsEvent.Listed, id, target.Number, Part: -1))
                : null;
        }

        return segment.IsAway ? Bring(stream, snapshot, segment, id) : Object(snapshot, MediaBody.Of(segment, 0, segment.Length), segment.ETag, id);
    }

    /// <summary>
    /// Another node decides, and may have published it already: whoever has seen its playlist and asks here is a few milliseconds early.
    /// </summary>
    private static bool IsOnItsWay(LiveStream stream, RenditionView view, HlsTarget target) =>
        !stream.IsAuthority && (target.Key.Length == 0 || target.Key == view.HintKey) && target.Number >= view.NextSegment && target.Number <= view.NextSegment + 1;

    /// <summary>A segment that another node has packaged before this one did.</summary>
    private MediaResource? Bring(LiveStream stream, HlsSnapshot snapshot, HlsSegment segment, RenditionId id)
    {
        if (NodeClock.Micros < segment.LostUntil)
            return null;
        var fetch = node.HlsFetches.Begin(node, stream, segment, new RelayObjectName(snapshot.Packager.Format, snapshot.Packager.Key, id, segment.Name));
        return NothingNew with { Wait = new HlsWait(fetch.Waiters, HlsCondition.Fetched, HoldTargets * snapshot.TargetSeconds * 1_000_000), Asked = stream.Name };
    }

    private static MediaResource Object(HlsSnapshot snapshot, HlsInit init, RenditionId id) =>
        Object(snapshot, MediaBody.Of(init.Bytes), init.ETag, id);

    private static MediaResource Object(HlsSnapshot snapshot, MediaBody body, string etag, RenditionId id)
    {
        var type = snapshot.Packager.Format == HlsFormat.TransportStream ? "video/mp2t" : id.Kind == TrackKind.Audio ? "audio/mp4" : "video/mp4";
        return new MediaResource(200, type, "", null, default, 0)
        {
            Body = body,
            ETag = $"\"{etag}\"",
            // A plain name can mean another segment tomorrow.
            CachePolicy = snapshot.Packager.Ts is { HasPlainNames: true } ? NoCache : ObjectCache,
        };
    }

    private static MediaResource Key(HlsPackager packager, long number) =>
        new(200, "application/octet-stream", "", null, default, 0) { Body = MediaBody.Of(packager.Timeline.ContentKey(number)), CachePolicy = MediaResource.NoStore };

    private static MediaResource Playlist(HlsDocument document, string cache) =>
        new(200, PlaylistType, "", null, default, 0) { Document = document, CachePolicy = cache, VariesByEncoding = true };

    private static string Brief(HlsSnapshot snapshot) => snapshot.TargetSeconds > 1 ? BriefCache : NoCache;

    private static string LongCache(HlsSnapshot snapshot) => FormattableString.Invariant($"public, max-age={LongCacheTargets * snapshot.TargetSeconds}");

    private static MediaResource Wait(HlsSnapshot snapshot, HlsCondition condition) => NothingNew with
    {
        Wait = new HlsWait(HlsWaiters.Of(snapshot.Packager), condition, HoldTargets * snapshot.TargetSeconds * 1_000_000),
        Asked = snapshot.Packager.Stream,
    };

    private static MediaResource WaitForLog(HlsSnapshot snapshot, HlsCondition condition) =>
        NothingNew with { Wait = new HlsWait(HlsWaiters.Of(snapshot.Packager), condition, LogMicros), Asked = snapshot.Packager.Stream };

    private static MediaResource WaitFor(HlsStart start, CutRule cuts) =>
        NothingNew with { Wait = new HlsWait(start.Waiters, HlsCondition.Started, HoldTargets * cuts.SegmentMicros) };

    public static MediaResource NotFound(string why) => Refuse(404, why);

    public static MediaResource Refuse(int status, string why) => MediaResource.Refuse(status, PlainText.Clean(why, 300)) with { CachePolicy = BriefCache };
}
